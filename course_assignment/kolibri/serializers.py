"""Course assignments as the REST interface takes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kolibri.core.api import HexUUIDField
from kolibri.core.content.models import ChannelMetadata, ContentNode
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.serializers import ModelSerializer

from course_assignment.errors import (
    AlreadyAssigned,
    AssignmentError,
    AssignmentFixed,
    FacilityNotAssignable,
    InvalidCourse,
    OtherDataset,
    TooManyActive,
)
from course_assignment.kolibri.models import CourseAssignment

_FIELD_OF: dict[type[AssignmentError], str] = {
    AlreadyAssigned: "course",
    FacilityNotAssignable: "collection",
    InvalidCourse: "course",
    OtherDataset: "collection",
    TooManyActive: "is_active",
}
"""Which of the fields that a client sends an error is about."""


class CourseAssignmentSerializer(ModelSerializer):  # type: ignore[misc]
    """Creates and changes assignments; who assigned is who asks."""

    course = HexUUIDField()
    channel_id = HexUUIDField(required=False, allow_null=True)
    content_id = HexUUIDField(required=False, allow_null=True)

    class Meta:
        model = CourseAssignment
        fields = (
            "id",
            "course",
            "collection",
            "assigned_by",
            "is_active",
            "title",
            "channel_id",
            "content_id",
            "channel_version",
        )
        read_only_fields = ("assigned_by",)
        # Whoever assigns a course that is on this device need not say what it is called.
        extra_kwargs = {"title": {"required": False}}  # noqa: RUF012 - DRF's own form

    def to_internal_value(self, data: Any) -> Any:
        """Also what a device needs to show the course elsewhere, where the course itself is here.

        Kolibri's permissions ask this, too, for what is about to be made.
        """
        values = super().to_internal_value(data)
        if self.instance is None:
            for name, value in _known_of(values["course"]).items():
                values.setdefault(name, value)
            if not values.get("title"):
                raise ValidationError({"title": [ErrorDetail("the course is not on this device", code="required")]})
        return values

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """:raises ValidationError: when the course or the collection would change, or the course is assigned there"""
        if self.instance is not None:
            for name in ("course", "collection"):
                if name in attrs and attrs[name] != getattr(self.instance, name):
                    with _told_of(name):
                        raise AssignmentFixed(self.instance.id)
        elif CourseAssignment.objects.filter(course=attrs["course"], collection=attrs["collection"]).exists():
            with _told_of():
                raise AlreadyAssigned(attrs["course"], attrs["collection"].id)
        return attrs

    def create(self, validated_data: dict[str, Any]) -> CourseAssignment:
        """:raises ValidationError: for whatever an assignment refuses"""
        with _told_of():
            return super().create({**validated_data, "assigned_by": self.context["request"].user.id})

    def update(self, instance: CourseAssignment, validated_data: dict[str, Any]) -> CourseAssignment:
        """:raises ValidationError: for whatever an assignment refuses"""
        with _told_of():
            return super().update(instance, validated_data)


def _known_of(course_id: str) -> dict[str, Any]:
    """What this device knows of a course; nothing, when it is not here."""
    node = ContentNode.objects.filter(id=course_id).values("title", "channel_id", "content_id").first()
    if node is None:
        return {}
    version = ChannelMetadata.objects.filter(id=node["channel_id"]).values_list("version", flat=True).first()
    return {**node, "channel_version": version}


@contextmanager
def _told_of(field: str | None = None) -> Iterator[None]:
    """Turn what an assignment refuses into an error of the field that it is about."""
    try:
        yield
    except AssignmentError as error:
        name = field or _FIELD_OF.get(type(error), "non_field_errors")
        raise ValidationError({name: [ErrorDetail(error.sentence, code=error.code)]}) from error
