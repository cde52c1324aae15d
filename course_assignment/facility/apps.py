from django.apps import AppConfig


class FacilityConfig(AppConfig):
    """The embedded host."""

    name = "course_assignment.facility"
    label = "facility"
    verbose_name = "Facility"
    default_auto_field = "django.db.models.AutoField"
