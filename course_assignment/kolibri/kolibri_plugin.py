"""What Kolibri loads of the plugin. No model may be imported while this is: Django is not set up yet."""

from __future__ import annotations

from typing import Any

from kolibri.core.auth.hooks import FacilityDataSyncHook
from kolibri.plugins import KolibriPluginBase
from kolibri.plugins.hooks import register_hook


class CourseAssignmentPlugin(KolibriPluginBase):  # type: ignore[misc]
    """Course assignments, synced by collection."""

    untranslated_view_urls = "api_urls"
    django_settings = "settings"
    kolibri_options = "options"

    @property
    def url_slug(self) -> str:
        """The module's own last name would put the addresses under ``kolibri/``, which says nothing there."""
        return "course_assignment/"


@register_hook
class CollectionSyncHook(FacilityDataSyncHook):  # type: ignore[misc]
    """Runs the operations of collection-scoped sync ahead of Kolibri's own."""

    def get_sync_operations(self, context: Any) -> list[Any]:
        from course_assignment.kolibri.operations import operations_for

        return operations_for(context.stage)
