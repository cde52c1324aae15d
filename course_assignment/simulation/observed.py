"""What is in a device's database, in the words of the oracle, read from its tables."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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
    :param stamps: for each record that is shown as it is stored: the instance and counter that saved it last. Two
        devices with one stamp have one version
    """

    rows: dict[Key, Any]
    quarantine: list[Quarantined] = field(default_factory=list)
    stored: dict[AssignmentKey, str | None] = field(default_factory=dict)
    values: dict[AssignmentKey, Assigned | None] = field(default_factory=dict)
    partitions: dict[str, set[str]] = field(default_factory=dict)
    misplaced: list[str] = field(default_factory=list)
    filters: dict[str, str] = field(default_factory=dict)
    stamps: dict[Key, tuple[str, int]] = field(default_factory=dict)

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
    shown = _shown(names)
    stored, values, misplaced, ids = _stored(names)
    return Observed(
        rows={key: row.value for key, row in shown.items()},
        quarantine=_quarantine(names),
        stored=stored,
        values=values,
        partitions=_partitions(names),
        misplaced=misplaced,
        filters=dict(TransferSession.objects.values_list("id", "filter")),
        stamps=_stamps(shown, ids),
    )


class _Row(NamedTuple):
    id: str
    is_edited: bool
    value: Any


def _shown(names: Names) -> dict[Key, _Row]:
    rows: dict[Key, _Row] = {}
    of_row = ("id", "_morango_dirty_bit")
    for collection_id, edited, name in Collection.objects.exclude(kind=CollectionKind.FACILITY).values_list(
        *of_row, "name"
    ):
        rows[CollectionKey(names.collection(collection_id))] = _Row(collection_id, edited, name)
    for what, ties in (
        ("membership", Membership.objects.all()),
        ("role", Role.objects.filter(kind=RoleKind.COACH)),
    ):
        for row_id, edited, user_id, collection_id in ties.values_list(*of_row, "user_id", "collection_id"):
            rows[TieKey(names.user(user_id), names.collection(collection_id), what)] = _Row(row_id, edited, True)
    for row in CourseAssignment.objects.all():
        key = AssignmentKey(names.collection(row.collection_id), names.course(row.course))
        value = _assigned(names, row.title, row.is_active, row.assigned_by)
        rows[key] = _Row(row.id, row._morango_dirty_bit, value)
    return rows


def _stamps(shown: dict[Key, _Row], stored: dict[Key, str]) -> dict[Key, tuple[str, int]]:
    records = {
        record_id: (deleted, (instance, counter))
        for record_id, deleted, instance, counter in Store.objects.filter(dirty_bit=False).values_list(
            "id", "deleted", "last_saved_instance", "last_saved_counter"
        )
    }
    stamps = {}
    for key in {*shown, *stored}:
        row = shown.get(key)
        deleted, stamp = records.get(row.id if row else stored[key], (None, None))
        if stamp is not None and deleted is (row is None) and not (row and row.is_edited):
            stamps[key] = stamp
    return stamps


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
) -> tuple[dict[AssignmentKey, str | None], dict[AssignmentKey, Assigned | None], list[str], dict[Key, str]]:
    ids: dict[Key, str] = {}
    stored: dict[AssignmentKey, str | None] = {}
    values: dict[AssignmentKey, Assigned | None] = {}
    misplaced = []
    for record in Store.objects.filter(model_name="courseassignment"):
        key = AssignmentKey(names.collection(record.partition.partition(":")[2]), names.course(record.source_id))
        ids[key] = record.id
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
    return stored, values, misplaced, ids


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
