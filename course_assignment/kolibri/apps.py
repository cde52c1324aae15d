"""The plugin as a Django app."""

from django.apps import AppConfig


class CourseAssignmentConfig(AppConfig):
    """Guards the reading of buffered records. Kolibri labels the app with the plugin's name."""

    name = "course_assignment.kolibri"
    verbose_name = "Course assignments"

    def ready(self) -> None:
        from django.core.signals import request_started

        from course_assignment.kolibri.buffers import ask_policy_before_reading

        request_started.connect(ask_policy_before_reading, dispatch_uid="course_assignment.kolibri.buffers")
