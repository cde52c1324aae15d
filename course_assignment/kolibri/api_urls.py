"""The REST addresses of the plugin, below ``/course_assignment/api/``."""

from __future__ import annotations

urlpatterns: list[object] = []
