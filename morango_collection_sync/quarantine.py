"""Edits that may not be synced any more: set aside, offered back, or decided on by a person."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from django.db import transaction
from morango.models.core import DeletedModels, RecordMaxCounter, Store, SyncableModel, TransferSession
from morango.registry import syncable_models

from morango_collection_sync.errors import CollectionSyncError
from morango_collection_sync.models import EditKind, QuarantinedEdit, QuarantineReason, in_chunks
from morango_collection_sync.partitions import parse_collection_partition
from morango_collection_sync.pending import own_instance_ids, partitions_pushed
from morango_collection_sync.policy import get_policy
from morango_collection_sync.sessions import without_private_keys

Ancestry = Mapping[str, int]
"""The versions that a record came through: for each instance id, the highest counter."""


class NoSuchEdit(CollectionSyncError):
    """There is no quarantined edit of this id."""

    def __init__(self, edit_id: str) -> None:
        self.edit_id = edit_id
        super().__init__(f"there is no edit {edit_id!r} in quarantine on this device")


class NotWritable(CollectionSyncError):
    """A quarantined edit cannot be restored, because it still could not be synced."""

    def __init__(self, edit: QuarantinedEdit) -> None:
        self.edit_id = edit.id
        self.collection_id = edit.collection_id
        super().__init__(
            f"no user of this device may write in collection {edit.collection_id}; "
            "the edit stays in quarantine until somebody may again"
        )


class Standing(Enum):
    """What became of a quarantined edit's record meanwhile."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    REACHED_HUB = "reached_hub"


@dataclass(frozen=True)
class Offered:
    """What offering the quarantined edits back has led to.

    :param restored: how many were restored and will be pushed
    :param waiting: how many wait for a person, because their record was changed meanwhile
    """

    restored: int = 0
    waiting: int = 0


def standing(edit: Ancestry, saved: tuple[str, int], current: Ancestry, current_saved: tuple[str, int]) -> Standing:
    """What became of an edit's record, from the versions of both. Pure.

    :param edit: the versions that the edit was made upon, and itself
    :param saved: the version that the edit is: instance id and counter
    :param current: the versions that the hub's record came through
    :param current_saved: the version that the hub's record is
    """
    if current.get(saved[0], -1) >= saved[1]:
        return Standing.REACHED_HUB
    if edit.get(current_saved[0], -1) >= current_saved[1]:
        return Standing.UNCHANGED
    return Standing.CHANGED


def quarantine(records: Iterable[Store]) -> int:
    """Set these edits aside, beside earlier ones of the same records.

    :param records: Store records with edits that no hub is known to have
    :return: how many
    """
    records = list(records)
    ancestries = _ancestries(record.id for record in records)
    own = own_instance_ids()
    partitions = {record.partition for record in records}
    writers = _last_writers(partitions)
    policy = get_policy()
    edits = []
    for record in records:
        partition = parse_collection_partition(record.partition)
        ancestry = ancestries[record.id]
        kind = EditKind.CREATION if own >= ancestry.keys() else EditKind.CHANGE
        users = writers.get(record.partition) or policy.local_user_ids(partition.dataset_id)
        edits.append(
            QuarantinedEdit(
                profile=record.profile,
                dataset_id=partition.dataset_id,
                collection_id=partition.collection_id,
                model_name=record.model_name,
                record_id=record.id,
                source_id=record.source_id,
                kind=EditKind.DELETION if record.deleted else kind,
                reason=_reason(record),
                serialized=record.serialized,
                ancestry=json.dumps(ancestry),
                saved_instance=record.last_saved_instance,
                saved_counter=record.last_saved_counter,
                user_ids=json.dumps(sorted(users)),
            )
        )
    # One that was made and deleted again before any hub heard of it is nothing to keep. Where anything of this device
    # has reached a hub, the record may have, too.
    pushed = partitions_pushed(partitions)
    edits = [
        edit
        for edit in edits
        if edit.kind != EditKind.DELETION or edit.partition in pushed or not own >= ancestries[edit.record_id].keys()
    ]
    QuarantinedEdit.objects.bulk_create(edits, batch_size=100)
    return len(edits)


def offer_back(profile: str, dataset_id: str, pulled: Iterable[str]) -> Offered:
    """Restore the edits that may be synced again and whose record nobody has changed; leave the others to a person.

    :param profile: the Morango profile
    :param dataset_id: 32 hex digits
    :param pulled: the partitions that were just pulled whole, so that the hub's version is here to compare with
    """
    edits = QuarantinedEdit.objects.filter(profile=profile, dataset_id=dataset_id)
    if not edits.exists():
        return Offered()
    ready = set(pulled) & set(get_policy().local_grant(dataset_id).partitions(push=True))
    edits_of = Counter(edit.record_id for edit in edits)
    restored = waiting = 0
    for edit in edits:
        if edit.partition not in ready:
            continue
        with transaction.atomic():
            now = standing_of(edit)
            # Of several edits of one record, a person says which is meant.
            if now is Standing.CHANGED or (now is Standing.UNCHANGED and edits_of[edit.record_id] > 1):
                waiting += 1
                continue
            if now is Standing.UNCHANGED:
                _apply(edit)
                restored += 1
            edit.delete()
    return Offered(restored, waiting)


def standing_of(edit: QuarantinedEdit) -> Standing:
    """What became of an edit's record, by what is on this device."""
    model = syncable_models.get_model(edit.profile, edit.model_name)
    if model.syncing_objects.filter(id=edit.record_id, _morango_dirty_bit=True).exists():
        return Standing.CHANGED
    current = Store.objects.filter(id=edit.record_id).first()
    if current is None:
        # Nothing of this id came from the hub: what was made here is still new, and what was deleted is gone.
        return Standing.REACHED_HUB if edit.kind == EditKind.DELETION else Standing.UNCHANGED
    now = standing(
        json.loads(edit.ancestry),
        (edit.saved_instance, edit.saved_counter),
        _ancestries([current.id])[current.id],
        (current.last_saved_instance, current.last_saved_counter),
    )
    # What has come and could not be applied, nobody has seen yet.
    return Standing.CHANGED if now is Standing.UNCHANGED and current.dirty_bit else now


def find_edit(edit_id: str) -> QuarantinedEdit:
    """The quarantined edit of this id, or of the only id that begins like this.

    :param edit_id: up to 32 hex digits
    :raises NoSuchEdit: when there is none, or more than one
    """
    found = [edit for edit in QuarantinedEdit.objects.all() if edit_id and edit.id.startswith(edit_id)]
    if len(found) != 1:
        raise NoSuchEdit(edit_id)
    return found[0]


def restore(edit: QuarantinedEdit) -> None:
    """Put an edit in the place of the record as it is now, as a person decides; the next push carries it.

    :raises NotWritable: when it still could not be synced; nothing is changed then
    """
    if edit.collection_id not in get_policy().local_grant(edit.dataset_id).writable:
        raise NotWritable(edit)
    with transaction.atomic():
        _apply(edit)
        edit.delete()


def discard(edit: QuarantinedEdit) -> None:
    """Give an edit up for good, as a person decides."""
    edit.delete()


def current_version(edit: QuarantinedEdit) -> str | None:
    """The record of an edit as it is on this device now, serialized; None when it is not here, or deleted."""
    return Store.objects.filter(id=edit.record_id, deleted=False).values_list("serialized", flat=True).first()


def _apply(edit: QuarantinedEdit) -> None:
    model: type[SyncableModel] = syncable_models.get_model(edit.profile, edit.model_name)
    if edit.kind == EditKind.DELETION:
        row = model.syncing_objects.filter(id=edit.record_id).first()
        if row is not None:
            row.delete()
        elif Store.objects.filter(id=edit.record_id, deleted=False).exists():
            DeletedModels.objects.get_or_create(id=edit.record_id, defaults={"profile": edit.profile})
        return
    row = model.deserialize(json.loads(edit.serialized))
    row.id = edit.record_id
    row._morango_source_id = edit.source_id
    row._morango_partition = edit.partition
    # As a sync stores it: what a person may not do (go over a limit) must not lose what one has done.
    row.save(update_dirty_bit_to=False)
    model.syncing_objects.filter(id=edit.record_id).update(update_dirty_bit_to=True)


def _ancestries(record_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for chunk in in_chunks(record_ids):
        rows = RecordMaxCounter.objects.filter(store_model_id__in=chunk)
        for record_id, instance_id, counter in rows.values_list("store_model_id", "instance_id", "counter"):
            found[record_id][instance_id] = counter
    return found


def _reason(record: Store) -> str:
    # The collection is a record of the same dataset; a deleted one is stored as such, or gone.
    collection_id = parse_collection_partition(record.partition).collection_id
    there = Store.objects.filter(id=collection_id, deleted=False).exists()
    return str(QuarantineReason.ACCESS_LOST if there else QuarantineReason.COLLECTION_GONE)


def _last_writers(partitions: set[str]) -> dict[str, set[str]]:
    """Who could write in these partitions: the users for whom a push has carried them."""
    policy = get_policy()
    writers: dict[str, set[str]] = defaultdict(set)
    pushes = TransferSession.objects.filter(push=True, sync_session__is_server=False)
    for push in without_private_keys(pushes, "sync_session__"):
        user_id = policy.syncing_user_id(push.sync_session)
        if user_id is not None:
            for partition in partitions.intersection(push.get_filter()):
                writers[partition].add(user_id)
    return writers
