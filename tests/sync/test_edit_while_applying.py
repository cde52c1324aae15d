"""Somebody edits a course assignment just when a newer version from the hub is applied."""

from __future__ import annotations

from typing import Any
from unittest import mock

from morango.models.core import Store

from course_assignment.facility.models import CourseAssignment
from morango_collection_sync import applying
from tests import school
from tests.sync.links import Link


def test_the_edit_is_merged_and_not_written_over(link: Link) -> None:
    """The edit comes after what was edited has been serialized, and before the rows are written."""
    with link.laptop:
        link.joined.sync()
    with link.hub:
        _retitle("from the hub", "edited on the hub")
    choose = applying.models_applied_together

    def edited_meanwhile(profile: str) -> Any:
        if "from the hub" in school.held_assignments():
            _retitle("from the hub", "edited here")
        return choose(profile)

    with link.laptop, mock.patch.object(applying, "models_applied_together", edited_meanwhile):
        link.joined.sync()

        record = Store.objects.get(model_name=CourseAssignment.morango_model_name)
        assert "edited here" in record.serialized + record.conflicting_serialized_data


def _retitle(title: str, new_title: str) -> None:
    assignment = CourseAssignment.objects.get(title=title)
    assignment.title = new_title
    assignment.save()
