"""Releasing collections from a member device: what none of its users may read any more goes, whole.

The device's own policy decides, by what it has just learned; what another peer did or did not send decides nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Count, signals
from morango.models.certificates import Certificate, Filter
from morango.models.core import (
    Buffer,
    DatabaseMaxCounter,
    DeletedModels,
    HardDeletedModels,
    InstanceIDModel,
    RecordMaxCounter,
    RecordMaxCounterBuffer,
    Store,
    SyncSession,
    TransferSession,
)
from morango.sync.backends.utils import load_backend
from morango.sync.utils import lock_partitions, mute_signals

from morango_collection_sync.grants import Grant, grant_of_all
from morango_collection_sync.instances import take_new_instance_id
from morango_collection_sync.models import collection_scoped_models, in_chunks
from morango_collection_sync.partitions import is_collection_partition, parse_collection_partition
from morango_collection_sync.pending import partitions_to_serialize, pending_edits, serialize_pending
from morango_collection_sync.policy import get_policy
from morango_collection_sync.quarantine import quarantine
from morango_collection_sync.sessions import covers_dataset
from morango_collection_sync.signals import collection_released, tell

logger = logging.getLogger(__name__)

_DELETION_SIGNALS = (signals.pre_delete, signals.post_delete)


@dataclass(frozen=True)
class ReleasePlan:
    """Which collections to release, and why.

    :param unreadable: partitions that none of the device's users may read
    :param to_fetch_again: partitions that they may read, but hold an edit that nobody may push any more: the hub's
        version has to come back in its place, from the hub that has just granted them
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


def plan_release(held: Iterable[str], grant: Grant, edited: Iterable[str], granted: Iterable[str]) -> ReleasePlan:
    """Decide what to release. Pure.

    An edit that nobody may push stays where it is until a hub grants its collection: one that does not has nothing to
    bring in its place. With the user whose edit it is it goes at once.

    :param held: collection partitions of the grant's dataset of which anything is on the device
    :param grant: what the device's users may read and write together
    :param edited: those of them with edits that no hub is known to have
    :param granted: the partitions that a hub has granted in the pull at whose end this is decided; all, when a user
        leaves the device
    """
    readable = set(grant.partitions(push=False))
    writable = set(grant.partitions(push=True))
    unreadable = frozenset(held) - readable
    return ReleasePlan(unreadable, (frozenset(edited) & readable & frozenset(granted)) - writable)


def release_unreadable(profile: str, dataset_id: str) -> Released:
    """Release what the users of this device may not read any more; nothing on a device with the whole facility.

    Edits that no hub is known to have go to quarantine. All in one transaction: it is done, or not done and the next
    call does it. :data:`~.signals.collection_released` is sent after it. Not inside a transaction.

    :param profile: the Morango profile
    :param dataset_id: 32 hex digits
    """
    prepare_release(profile, dataset_id)
    return release_prepared(profile, dataset_id)


def prepare_release(profile: str, dataset_id: str) -> None:
    """Bring this device's own edits where :func:`release_prepared` finds them. Not inside a transaction.

    Morango serializes in a transaction of its own kind (``DBBackend._set_transaction_repeatable_read``, 0.8.15).
    """
    if not holds_dataset(dataset_id):
        serialize_pending(profile, dataset_id)


def release_prepared(
    profile: str, dataset_id: str, *, finishing: TransferSession | None = None, leaving: str | None = None
) -> Released:
    """Do what :func:`release_unreadable` says, but the serializing; it may be a part of a larger transaction.

    A collection that has been edited since :func:`prepare_release` stays for the next call.

    :param finishing: the pull at whose end this is done; other sessions that hold what is released are closed
    :param leaving: a user whom the device no longer syncs for once this transaction is committed, 32 hex digits
    """
    policy = get_policy()
    users = policy.local_user_ids(dataset_id) - {leaving}
    if not _releases(dataset_id, users):
        return Released({})
    with transaction.atomic():
        lock_partitions(load_backend(connection), sync_filter=Filter(dataset_id))
        held = held_partitions(profile, dataset_id) - partitions_to_serialize(profile, dataset_id)
        grant = grant_of_all(dataset_id, (policy.grant_for(user_id, dataset_id) for user_id in users))
        edits = pending_edits(held)
        plan = plan_release(held, grant, (record.partition for record in edits), _granted(held, finishing, leaving))
        if not plan.partitions:
            return Released({})
        quarantined = quarantine([record for record in edits if record.partition in plan.partitions])
        _close_sessions(plan.partitions, finishing)
        has_saved_there = _has_saved_in(plan.partitions)
        records = _purge(profile, plan.partitions)
        if has_saved_there:
            # Morango lets an instance claim all that it has ever saved in a partition, as soon as it serializes there
            # again; what it saved before the release would never be sent back. As another instance it claims nothing.
            take_new_instance_id()
        released = Released(records, plan.to_fetch_again, quarantined)
        transaction.on_commit(lambda: _tell(type(policy), released))
    return released


def _granted(held: Iterable[str], finishing: TransferSession | None, leaving: str | None) -> Iterable[str]:
    """Where an edit that nobody may push any more is to make room for the hub's version."""
    if leaving is not None:
        # At once: whose edit it is can be told only as long as their certificate is here.
        return held
    return () if finishing is None else finishing.get_filter()


def drop_claims(dataset_id: str, partitions: Iterable[str]) -> None:
    """Drop the counters of those of these partitions that no user of this device may read.

    A hub that has not heard of a loss grants a push more than this device knows to be its own, and Morango notes a
    counter for each partition that it serializes.

    :param dataset_id: 32 hex digits
    :param partitions: those of a completed push
    """
    if _releases(dataset_id, get_policy().local_user_ids(dataset_id)):
        granted = {partition for partition in partitions if is_collection_partition(partition, dataset_id)}
        unreadable = granted.difference(get_policy().local_grant(dataset_id).partitions(push=False))
        for chunk in in_chunks(unreadable):
            DatabaseMaxCounter.objects.filter(partition__in=chunk).delete()


def holds_dataset(dataset_id: str) -> bool:
    """Whether this device holds a whole facility, by a certificate of its own: a hub, which never releases."""
    own = Certificate.objects.filter(tree_id__in=_trees(dataset_id)).exclude(_private_key=None)
    return any(
        covers_dataset(certificate) for certificate in own.select_related("scope_definition").defer("_private_key")
    )


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


def _releases(dataset_id: str, users: Iterable[str]) -> bool:
    # While a user's own row is not here, as after a first pull that was interrupted, nobody may read anything by
    # what this device knows; that is no reason to let go of it.
    return not holds_dataset(dataset_id) and all(map(_has_arrived, users))


def _has_arrived(user_id: str) -> bool:
    # A user who was deleted elsewhere has no row, but a Store record that says so.
    return Store.objects.filter(id=user_id, dirty_bit=False).exists()


def _has_saved_in(partitions: frozenset[str]) -> bool:
    instance, _ = InstanceIDModel.get_or_create_current_instance()
    own = RecordMaxCounter.objects.filter(instance_id=instance.id)
    return any(own.filter(store_model__partition__in=chunk).exists() for chunk in in_chunks(partitions))


def _purge(profile: str, partitions: frozenset[str]) -> dict[str, int]:
    """Remove every trace of these partitions. Leaves no tombstone."""
    records: dict[str, int] = dict.fromkeys(partitions, 0)
    for chunk in in_chunks(partitions):
        stored = Store.objects.filter(partition__in=chunk)
        counted = stored.filter(deleted=False).order_by().values_list("partition").annotate(count=Count("pk"))
        records.update(dict(counted))
        buffered = Buffer.objects.filter(partition__in=chunk)
        with _deletion_unheard():
            for model in reversed(collection_scoped_models(profile)):
                # What is edited at this very moment stays, to be serialized by the next call.
                model.syncing_objects.filter(_morango_partition__in=chunk, _morango_dirty_bit=False).delete()
            for marks in (DeletedModels, HardDeletedModels):
                marks.objects.filter(id__in=stored.values("id")).delete()
            RecordMaxCounterBuffer.objects.filter(model_uuid__in=buffered.values("model_uuid")).delete()
            buffered.delete()
            RecordMaxCounter.objects.filter(store_model__partition__in=chunk).delete()
            _delete_store_rows(chunk)
            DatabaseMaxCounter.objects.filter(partition__in=chunk).delete()
    return records


@contextmanager
def _deletion_unheard() -> Iterator[None]:
    """Deleting rows leaves no tombstone, and is no one's business but that of those who hear of the release."""
    with mute_signals(*_DELETION_SIGNALS):
        for signal in _DELETION_SIGNALS:
            # Django remembers who listened, and fetches each row to tell of it (Signal.has_listeners, 3.2).
            signal.sender_receivers_cache.clear()
        yield


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
        tell(collection_released, sender, dataset_id=dataset_id, collection_id=collection_id, records=records)
