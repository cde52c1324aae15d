"""Course assignments in Kolibri's database."""

from __future__ import annotations

from typing import Any

from django.db import models
from kolibri.core.auth.constants import role_kinds
from kolibri.core.auth.models import (
    AbstractFacilityDataModel,
    AdHocGroup,
    Classroom,
    Collection,
    Facility,
    LearnerGroup,
)
from kolibri.core.auth.permissions.base import RoleBasedPermissions
from kolibri.core.content.utils.assignment import ContentAssignmentManager

from course_assignment.kolibri.permissions import MembersReadActive
from course_assignment.models import AbstractCourseAssignment

_MANAGERS = (role_kinds.ADMIN, role_kinds.COACH)


def course_content(course_id: str) -> tuple[str, dict[str, Any]]:
    """What an assignment asks Kolibri to download: the course with everything below it, as a CourseSession does.

    :param course_id: the id of the course's ContentNode, 32 hex digits
    :return: that id, and what Kolibri is to know about the request
    """
    return course_id, {"import_descendants": True}


class CourseAssignment(AbstractCourseAssignment, AbstractFacilityDataModel):
    """A course assignment in Kolibri."""

    # What syncs of a collection is one of its proxy models, and the foreign key alone does not say so to Morango,
    # which would apply assignments before the collections that came with them.
    morango_model_dependencies = (Facility, Classroom, LearnerGroup, AdHocGroup)

    collection = models.ForeignKey(Collection, related_name="course_assignments", on_delete=models.CASCADE)

    content_assignments = ContentAssignmentManager(
        filters={"is_active": True},
        lookup_field="course",
        lookup_func=course_content,
        channel_version_field="channel_version",
    )

    permissions = (
        RoleBasedPermissions(
            target_field="collection",
            can_be_created_by=_MANAGERS,
            can_be_read_by=_MANAGERS,
            can_be_updated_by=_MANAGERS,
            can_be_deleted_by=_MANAGERS,
        )
        | MembersReadActive()
    )

    class Meta:
        # Kolibri's label for the app is the module's path, and a table's name with a dot must be quoted everywhere.
        db_table = "course_assignment_courseassignment"

    def before_written(self) -> None:
        """:raises IntegrityError: when the collection is of another dataset, as Kolibri's ``save`` does"""
        self.pre_save()

    def infer_dataset(self, *args: Any, **kwargs: Any) -> str:
        """The dataset of the collection, 32 hex digits."""
        return self.cached_related_dataset_lookup("collection")
