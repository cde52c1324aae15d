"""What is in a device's database, in the words of the oracle, read from its tables."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from morango.models.core import Buffer, DatabaseMaxCounter, Store, TransferSession

from course_assignment.facility.models import Collection, CollectionKind, CourseAssignment, Membership, Role, RoleKind
from course_assignment.simulation.names import Names
from course_assignment.simulation.versions import Assigned, AssignmentKey, CollectionKey, Key, TieKey
from morango_collection_sync.models import QuarantinedEdit


@dataclass(frozen=True)
class Quarantined:
    """An edit in quarantine; its value is None for a deletion."""

    id: str
    key: AssignmentKey
    value: Assigned | None


@dataclass(frozen=True)
class Observed:
    """What a device has.

    :param rows: what its app shows
    :param quarantine: its edits that could not be synced
    :param stored: for each stored assignment, what Morango's Store has of it; None: that it is deleted
    :param values: the same, as what it says
    :param partitions: for each table, the partitions of collections of which it has something
    :param misplaced: the ids of stored assignments whose content gives another id or partition
    :param filters: the filter of each transfer session, by the session's id
    """

    rows: dict[Key, Any]
    quarantine: list[Quarantined] = field(default_factory=list)
    stored: dict[AssignmentKey, str | None] = field(default_factory=dict)
    values: dict[AssignmentKey, Assigned | None] = field(default_factory=dict)
    partitions: dict[str, set[str]] = field(default_factory=dict)
    misplaced: list[str] = field(default_factory=list)
    filters: dict[str, str] = field(default_factory=dict)

    def memberships(self) -> set[tuple[str, str]]:
        """Pairs of user and collection."""
        return {(key.user, key.collection) for key in self.rows if key.what == "membership"}  # type: ignore[union-attr]

    def roles(self) -> set[tuple[str, str]]:
        """Pairs of user and collection."""
        return {(key.user, key.collection) for key in self.rows if key.what == "role"}  # type: ignore[union-attr]

    def collections(self) -> set[str]:
        """Labels."""
        return {key.collection for key in self.rows if key.what == "collection"}


def observe(names: Names) -> Observed:
    """What this device has now.

    :param names: the labels of the school's ids
    """
    stored, values, misplaced = _stored(names)
    return Observed(
        rows=_rows(names),
        quarantine=_quarantine(names),
        stored=stored,
        values=values,
        partitions=_partitions(names),
        misplaced=misplaced,
        filters=dict(TransferSession.objects.values_list("id", "filter")),
    )


def _rows(names: Names) -> dict[Key, Any]:
    rows: dict[Key, Any] = {}
    for collection_id, name in Collection.objects.exclude(kind=CollectionKind.FACILITY).values_list("id", "name"):
        rows[CollectionKey(names.collection(collection_id))] = name
    for user_id, collection_id in Membership.objects.values_list("user_id", "collection_id"):
        rows[TieKey(names.user(user_id), names.collection(collection_id), "membership")] = True
    coaches = Role.objects.filter(kind=RoleKind.COACH)
    for user_id, collection_id in coaches.values_list("user_id", "collection_id"):
        rows[TieKey(names.user(user_id), names.collection(collection_id), "role")] = True
    for row in CourseAssignment.objects.all():
        rows[AssignmentKey(names.collection(row.collection_id), names.course(row.course))] = _assigned(
            names, row.title, row.is_active, row.assigned_by
        )
    return rows


def _assigned(names: Names, title: str, active: bool, by: str | None) -> Assigned:
    return Assigned(title, active, names.user(by) if by else None)


def _quarantine(names: Names) -> list[Quarantined]:
    found = []
    for edit in QuarantinedEdit.objects.order_by("quarantined_at", "id"):
        content = json.loads(edit.serialized)
        value = None
        if edit.kind != "deletion":
            value = _assigned(names, content["title"], content["is_active"], content["assigned_by"])
        key = AssignmentKey(names.collection(edit.collection_id), names.course(edit.source_id))
        found.append(Quarantined(edit.id, key, value))
    return found


def _stored(
    names: Names,
) -> tuple[dict[AssignmentKey, str | None], dict[AssignmentKey, Assigned | None], list[str]]:
    stored: dict[AssignmentKey, str | None] = {}
    values: dict[AssignmentKey, Assigned | None] = {}
    misplaced = []
    for record in Store.objects.filter(model_name="courseassignment"):
        key = AssignmentKey(names.collection(record.partition.partition(":")[2]), names.course(record.source_id))
        content = json.loads(record.serialized or "{}")
        if record.deleted or not content:
            stored[key] = values[key] = None
            continue
        stored[key] = record.serialized
        values[key] = _assigned(names, content["title"], content["is_active"], content["assigned_by"])
        partition = f"{content['dataset_id']}:{content['collection_id']}"
        named = f"{partition}::{content['course']}::courseassignment"
        record_id = hashlib.sha256(named.encode()).hexdigest()[:32]
        if not (record.partition == partition and record.id == content["id"] == record_id):
            misplaced.append(record.id)
    return stored, values, misplaced


def _partitions(names: Names) -> dict[str, set[str]]:
    tables = {"stored": Store, "buffered": Buffer, "counted": DatabaseMaxCounter}
    return {
        name: {
            names.collection(words[1])
            for partition in table.objects.order_by().values_list("partition", flat=True).distinct()
            if len(words := partition.split(":")) == 2 and words[1] in names.collections
        }
        for name, table in tables.items()
    }
