"""What an administrator sets in Kolibri's ``options.ini``, or in the environment."""

from course_assignment.conf import DEFAULT_MAX_ACTIVE

option_spec = {
    "CourseAssignments": {
        "MAX_ACTIVE_COURSE_ASSIGNMENTS": {
            "type": "integer",
            "default": DEFAULT_MAX_ACTIVE,
            "description": "The most course assignments that may be made active in one class or group; -1: no limit.",
        }
    }
}
