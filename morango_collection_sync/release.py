"""Releasing collections from a member device: what none of its users may read any more goes, whole.

The device's own policy decides, by what it has just learned; what another peer did or did not send decides nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import signals
from morango.models.certificates import Certificate, Filter
from morango.models.core import (
    Buffer,
    DatabaseMaxCounter,
    DeletedModels,
    HardDeletedModels,
    RecordMaxCounter,
    RecordMaxCounterBuffer,
    Store,
    SyncSession,
    TransferSession,
)
from morango.sync.backends.utils import load_backend
from morango.sync.utils import lock_partitions, mute_signals

from morango_collection_sync.grants import Grant
from morango_collection_sync.models import ReleasedPartition, collection_scoped_models, in_chunks
from morango_collection_sync.partitions import is_collection_partition, parse_collection_partition
from morango_collection_sync.pending import pending_edits, serialize_pending
from morango_collection_sync.policy import get_policy
from morango_collection_sync.quarantine import quarantine
from morango_collection_sync.sessions import covers_dataset
from morango_collection_sync.signals import collection_released

logger = logging.getLogger(__name__)

_DELETION_SIGNALS = (signals.pre_delete, signals.post_delete)


@dataclass(frozen=True)
class ReleasePlan:
    """Which collections to release, and why.

    :param unreadable: partitions that none of the device's users may read
    :param to_fetch_again: partitions that they may read, but hold an edit that nobody may push any more: the hub's
        version has to come back in its place
    """

    unreadable: frozenset[str]
    to_fetch_again: frozenset[str]

    @property
    def partitions(self) -> frozenset[str]:
        """All that is to be released."""
        return self.unreadable | self.to_fetch_again


@dataclass(frozen=True)
class Released:
    """What a release did.

    :param partitions: for each partition that was released, how many records went
    :param to_fetch_again: those of them that the users may read, and that the next pull brings back
    :param quarantined: how many edits went to quarantine
    """

    partitions: dict[str, int]
    to_fetch_again: frozenset[str] = frozenset()
    quarantined: int = 0


def plan_release(held: Iterable[str], grant: Grant, edited: Iterable[str]) -> ReleasePlan:
    """Decide what to release. Pure.

    :param held: collection partitions of the grant's dataset of which anything is on the device
    :param grant: what the device's users may read and write together
    :param edited: those of them with edits that no hub is known to have
    """
    readable = set(grant.partitions(push=False))
    writable = set(grant.partitions(push=True))
    unreadable = frozenset(held) - readable
    return ReleasePlan(unreadable, (frozenset(edited) & readable) - writable)


def release_unreadable(profile: str, dataset_id: str, *, finishing: TransferSession | None = None) -> Released:
    """Release what the users of this device may not read any more; nothing on a device with the whole facility.

    Edits that no hub is known to have go to quarantine. All in one transaction: it is done, or not done and the next
    call does it. :data:`~.signals.collection_released` is sent after it.

    :param profile: the Morango profile
    :param dataset_id: 32 hex digits
    :param finishing: the pull at whose end this is done; other sessions that hold what is released are closed
    """
    policy = get_policy()
    # While a user's own row is not here, as after a first pull that was interrupted, nobody may read anything by
    # what this device knows; that is no reason to let go of it.
    if holds_dataset(dataset_id) or not all(map(_has_arrived, policy.local_user_ids(dataset_id))):
        return Released({})
    serialize_pending(profile, dataset_id)
    with transaction.atomic():
        lock_partitions(load_backend(connection), sync_filter=Filter(dataset_id))
        held = held_partitions(profile, dataset_id)
        grant = policy.local_grant(dataset_id)
        edits = pending_edits(held)
        plan = plan_release(held, grant, (record.partition for record in edits))
        if not plan.partitions:
            return Released({})
        quarantined = quarantine([record for record in edits if record.partition in plan.partitions])
        _close_sessions(plan.partitions, finishing)
        records = _purge(profile, plan.partitions)
        released = Released(records, plan.to_fetch_again, quarantined)
        transaction.on_commit(lambda: _tell(type(policy), released))
    return released


def holds_dataset(dataset_id: str) -> bool:
    """Whether this device holds a whole facility, by a certificate of its own: a hub, which never releases."""
    own = Certificate.objects.filter(tree_id__in=_trees(dataset_id)).exclude(_private_key=None)
    return any(covers_dataset(certificate) for certificate in own.select_related("scope_definition"))


def held_partitions(profile: str, dataset_id: str) -> frozenset[str]:
    """The collection partitions of which anything is on this device: a row, a Store row, a buffer, a counter.

    :param profile: the Morango profile
    :param dataset_id: 32 hex digits
    """
    prefix = dataset_id + ":"
    found: set[str] = set()
    for model in collection_scoped_models(profile):
        rows = model.syncing_objects.filter(dataset_id=dataset_id).order_by()
        found.update(rows.values_list("_morango_partition", flat=True).distinct())
    for table in (Store, Buffer, DatabaseMaxCounter):
        rows = table.objects.filter(partition__startswith=prefix).order_by()
        found.update(rows.values_list("partition", flat=True).distinct())
    return frozenset(partition for partition in found if is_collection_partition(partition, dataset_id))


def _trees(dataset_id: str) -> list[int]:
    return list(Certificate.objects.filter(id=dataset_id).values_list("tree_id", flat=True))


def _has_arrived(user_id: str) -> bool:
    # A user who was deleted elsewhere has no row, but a Store record that says so.
    return Store.objects.filter(id=user_id, dirty_bit=False).exists()


def _purge(profile: str, partitions: frozenset[str]) -> dict[str, int]:
    """Remove every trace of these partitions but the note that they were released. Leaves no tombstone."""
    records: Counter[str] = Counter()
    for chunk in in_chunks(partitions):
        stored = Store.objects.filter(partition__in=chunk)
        records.update(dict.fromkeys(chunk, 0))
        records.update(stored.filter(deleted=False).values_list("partition", flat=True))
        with mute_signals(*_DELETION_SIGNALS):
            for model in reversed(collection_scoped_models(profile)):
                model.syncing_objects.filter(_morango_partition__in=chunk).delete()
        for marks in (DeletedModels, HardDeletedModels):
            marks.objects.filter(id__in=stored.values("id")).delete()
        RecordMaxCounterBuffer.objects.filter(
            model_uuid__in=Buffer.objects.filter(partition__in=chunk).values("model_uuid")
        ).delete()
        Buffer.objects.filter(partition__in=chunk).delete()
        RecordMaxCounter.objects.filter(store_model__partition__in=chunk).delete()
        _delete_store_rows(chunk)
        DatabaseMaxCounter.objects.filter(partition__in=chunk).delete()
        known = set(ReleasedPartition.objects.filter(partition__in=chunk).values_list("partition", flat=True))
        ReleasedPartition.objects.bulk_create(
            ReleasedPartition(partition=partition) for partition in chunk if partition not in known
        )
    return dict(records)


def _delete_store_rows(partitions: list[str]) -> None:
    # Their counters are gone; Django would look for them again in batches, so many statements for so many records.
    marks = ", ".join(["%s"] * len(partitions))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {Store._meta.db_table} WHERE partition IN ({marks})", partitions)


def _close_sessions(partitions: frozenset[str], finishing: TransferSession | None) -> None:
    """Close this device's sessions that hold one of these: resumed later, they would bring the rows back."""
    for transfer_session in TransferSession.objects.filter(active=True, sync_session__is_server=False):
        is_finishing = finishing is not None and transfer_session.pk == finishing.pk
        if is_finishing or partitions.isdisjoint(transfer_session.get_filter()):
            continue
        transfer_session.delete_buffers()
        TransferSession.objects.filter(pk=transfer_session.pk).update(active=False)
        # The hub would go on with its half of the session, in whichever sync session it is.
        SyncSession.objects.filter(pk=transfer_session.sync_session_id).update(active=False)


def _tell(sender: type, released: Released) -> None:
    for partition, records in sorted(released.partitions.items()):
        dataset_id, collection_id = parse_collection_partition(partition)
        logger.info("Released collection %s of dataset %s: %d records", collection_id, dataset_id, records)
        collection_released.send(sender, dataset_id=dataset_id, collection_id=collection_id, records=records)
