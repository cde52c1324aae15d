"""What this device holds, as ``show`` prints it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from course_assignment.conf import max_active_per_collection
from course_assignment.facility.device import DeviceRole, device_role, usernames
from course_assignment.facility.lookup import full_name
from course_assignment.facility.models import Collection, CollectionKind, CourseAssignment, FacilityUser
from course_assignment.models import ActiveCount
from morango_collection_sync.models import QuarantinedEdit
from morango_collection_sync.policy import get_policy


@dataclass(frozen=True)
class HeldCollection:
    """A collection that this device holds, or may hold, records of."""

    id: str
    name: str
    kind: str
    records: int
    active: ActiveCount

    def as_json(self) -> dict[str, Any]:
        """The form in which ``show --json`` prints it."""
        return {"id": self.id, "name": self.name, "kind": self.kind, "records": self.records}


@dataclass(frozen=True)
class Contents:
    """What a device holds.

    :param role: what the device is
    :param dataset_id: 32 hex digits
    :param users: the names of those whom the device syncs for; on a hub, of all
    :param collections: on a hub, all; on a member device, those that its users may read or that it has records of
    :param assignments: all that it has
    :param quarantine: how many edits of this device could not be synced
    """

    role: DeviceRole
    dataset_id: str
    users: list[str]
    collections: list[HeldCollection]
    assignments: list[CourseAssignment] = field(default_factory=list)
    quarantine: int = 0

    def as_json(self) -> dict[str, Any]:
        """The form in which ``show --json`` prints it."""
        return {
            "role": self.role.value,
            "dataset_id": self.dataset_id,
            "users": self.users,
            "collections": [collection.as_json() for collection in self.collections],
            "assignments": [
                {
                    "id": assignment.id,
                    "course": assignment.course,
                    "title": assignment.title,
                    "collection_id": assignment.collection_id,
                    "assigned_by": assignment.assigned_by,
                    "is_active": assignment.is_active,
                }
                for assignment in self.assignments
            ],
            "quarantine": self.quarantine,
        }


def device_contents(dataset_id: str) -> Contents:
    """What this device holds of a dataset.

    :param dataset_id: 32 hex digits
    """
    role = device_role()
    policy = get_policy()
    collections = Collection.objects.filter(dataset_id=dataset_id).exclude(kind=CollectionKind.FACILITY)
    if role is DeviceRole.HUB:
        users = list(
            FacilityUser.objects.filter(dataset_id=dataset_id, date_deleted__isnull=True)
            .order_by("username")
            .values_list("username", flat=True)
        )
    else:
        users = sorted(usernames(sorted(policy.local_user_ids(dataset_id))))
    assignments = list(CourseAssignment.objects.filter(dataset_id=dataset_id).order_by("collection__lft", "title"))
    records = Counter(assignment.collection_id for assignment in assignments)
    active = Counter(assignment.collection_id for assignment in assignments if assignment.is_active)
    limit = max_active_per_collection()
    shown = set(records) if role is DeviceRole.HUB else set(records) | policy.local_grant(dataset_id).readable
    held = [
        HeldCollection(
            collection.id,
            full_name(collection),
            collection.kind,
            records[collection.id],
            ActiveCount(active[collection.id], limit),
        )
        for collection in collections.select_related("parent")
        if role is DeviceRole.HUB or collection.id in shown
    ]
    return Contents(role, dataset_id, users, held, assignments, QuarantinedEdit.objects.count())
