"""What an administrator of a hub can ask of the plugin by ``kolibri manage check --deploy``."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.urls import resolve
from kolibri.deployment.default.urls import path_prefix

from morango_collection_sync.api import BufferViewSet

HUB_SETTINGS = "course_assignment.kolibri.hub_settings"


@register(Tags.security, deploy=True)
def check_views(**kwargs: Any) -> list[CheckMessage]:
    """W001: Morango's own views answer, which do not limit what one peer can make a hub hold."""
    if getattr(resolve(f"/{path_prefix}api/morango/v1/buffers/").func, "cls", None) is BufferViewSet:
        return []
    return [
        Warning(
            "Morango's own views answer sync requests, and limit neither the records of a session nor their size",
            hint=f"Start a hub with DJANGO_SETTINGS_MODULE={HUB_SETTINGS}; other devices need nothing.",
            id="course_assignment_kolibri.W001",
        )
    ]
