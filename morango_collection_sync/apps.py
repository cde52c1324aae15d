from django.apps import AppConfig


class CollectionSyncConfig(AppConfig):
    """Registers the system checks."""

    name = "morango_collection_sync"
    verbose_name = "Collection-scoped sync"
    default_auto_field = "django.db.models.AutoField"

    def ready(self) -> None:
        from morango_collection_sync import checks  # noqa: F401 - registers them
