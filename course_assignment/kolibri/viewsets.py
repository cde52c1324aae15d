"""The REST interface to course assignments, after Kolibri's conventions."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from kolibri.core.api import ValuesViewset
from kolibri.core.auth.api import KolibriAuthPermissions, KolibriAuthPermissionsFilter
from kolibri.core.content.models import ContentNode
from kolibri.core.content.utils.settings import automatic_download_enabled

from course_assignment.conf import max_active_per_collection
from course_assignment.kolibri.models import CourseAssignment
from course_assignment.kolibri.serializers import CourseAssignmentSerializer
from course_assignment.missing import describe_missing
from course_assignment.models import ActiveCount


class CourseAssignmentViewset(ValuesViewset):  # type: ignore[misc]
    """List, make, change and delete assignments.

    Coaches and admins of a collection see all of its assignments, learners the active ones of theirs. Each comes with
    ``missing_resource`` (whether the course is not on this device), ``missing`` (that in a sentence, or null), and
    ``active_in_collection``, ``limit`` (null: none) and ``over_limit`` of its collection.
    """

    serializer_class = CourseAssignmentSerializer
    permission_classes = (KolibriAuthPermissions,)
    filter_backends = (KolibriAuthPermissionsFilter, DjangoFilterBackend)
    filterset_fields = ("collection", "course", "is_active")
    queryset = CourseAssignment.objects.all().order_by("title", "id")

    values = (
        "id",
        "course",
        "collection",
        "assigned_by",
        "is_active",
        "title",
        "channel_id",
        "content_id",
        "channel_version",
        "missing_resource",
    )

    def annotate_queryset(self, queryset: QuerySet) -> QuerySet:
        here = ContentNode.objects.filter(id=OuterRef("course"), available=True)
        return queryset.annotate(missing_resource=~Exists(here))

    def consolidate(self, items: list[dict[str, Any]], queryset: QuerySet) -> list[dict[str, Any]]:
        collections = {item["collection"] for item in items}
        active = Counter(
            CourseAssignment.objects.filter(collection__in=collections, is_active=True)
            .order_by()
            .values_list("collection", flat=True)
        )
        limit = max_active_per_collection()
        downloads = any(item["missing_resource"] for item in items) and automatic_download_enabled()
        for item in items:
            count = ActiveCount(active[item["collection"]], limit)
            item["active_in_collection"] = count.active
            item["limit"] = count.limit
            item["over_limit"] = count.is_over
            item["missing"] = (
                describe_missing(CourseAssignment(**_origin(item)), will_download=downloads and item["is_active"])
                if item["missing_resource"]
                else None
            )
        return items


def _origin(item: dict[str, Any]) -> dict[str, Any]:
    return {"channel_id": item["channel_id"], "channel_version": item["channel_version"]}
