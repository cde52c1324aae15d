"""Course assignments of a collection, on the hosts ``course_assignment.facility`` and ``course_assignment.kolibri``."""
