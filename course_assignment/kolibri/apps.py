"""The plugin as a Django app."""

from django.apps import AppConfig


class CourseAssignmentConfig(AppConfig):
    """Connects the plugin to what happens around it. Kolibri labels the app with the plugin's name."""

    name = "course_assignment.kolibri"
    verbose_name = "Course assignments"

    def ready(self) -> None:
        from django.core.signals import request_started
        from django.db.models.signals import pre_delete
        from kolibri.core.auth.models import FacilityDataset
        from morango.models.certificates import Certificate
        from morango.models.core import InstanceIDModel

        from course_assignment.kolibri import checks  # noqa: F401 - registers them
        from course_assignment.kolibri.bodies import bound_body
        from course_assignment.kolibri.buffers import ask_policy_before_reading
        from course_assignment.kolibri.content import give_up_content
        from course_assignment.kolibri.deletions import forget_deleted_dataset, forget_deleted_instance
        from course_assignment.kolibri.leaving import release_after_removal
        from morango_collection_sync.signals import collection_released

        request_started.connect(ask_policy_before_reading, dispatch_uid="course_assignment.kolibri.buffers")
        request_started.connect(bound_body, dispatch_uid="course_assignment.kolibri.bodies")
        collection_released.connect(give_up_content, dispatch_uid="course_assignment.kolibri.content")
        pre_delete.connect(
            forget_deleted_dataset, sender=FacilityDataset, dispatch_uid="course_assignment.kolibri.deletions"
        )
        pre_delete.connect(
            forget_deleted_instance, sender=InstanceIDModel, dispatch_uid="course_assignment.kolibri.deletions"
        )
        pre_delete.connect(release_after_removal, sender=Certificate, dispatch_uid="course_assignment.kolibri.leaving")
