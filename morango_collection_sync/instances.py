"""A database that was put back from a backup: noticed by what a peer has seen of it, and given a new instance id.

Such a database counts on from where the backup was made, under an instance id whose higher counters others have seen
already: what it makes next looks to them like something that they have. Under a new id it does not.

Two things counters cannot tell. A database that was put back, and gives to a peer which has missed the same syncs
before it meets one that has not, has used counters twice by then: what it gave to the first one reaches the second
only when it is edited again. And what a hub lost that no other hub has comes back only from devices whose users may
write it: a learner's device keeps it, and may not push it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from morango.models.core import (
    Buffer,
    DatabaseIDModel,
    InstanceIDModel,
    RecordMaxCounter,
    RecordMaxCounterBuffer,
    Store,
    TransferSession,
)

from morango_collection_sync.edits import serialize_edits
from morango_collection_sync.holdings import cover_own_records
from morango_collection_sync.models import DeclaredCounter, in_chunks
from morango_collection_sync.partitions import is_within
from morango_collection_sync.pending import known_elsewhere
from morango_collection_sync.verification.counters import parsed_counters

logger = logging.getLogger(__name__)


def highest_counter(declared: Any, instance_id: str) -> int:
    """The highest counter that counters in Morango's second format hold for an instance; -1 for none. Pure.

    :param declared: what a peer has sent, whatever that is
    :param instance_id: 32 hex digits
    """
    found = [-1]
    parts = declared if isinstance(declared, Mapping) else {}
    for part in ("super", "sub"):
        partitions = parts.get(part)
        for counters in partitions.values() if isinstance(partitions, Mapping) else ():
            counter = counters.get(instance_id) if isinstance(counters, Mapping) else None
            if isinstance(counter, int) and not isinstance(counter, bool):
                found.append(counter)
    return max(found)


def notice_put_back(instance: InstanceIDModel, seen: int) -> bool:
    """Take a new instance id if a peer has seen a higher counter of this device than it has ever told of.

    A device counts on by itself, so its present counter says less: it may have passed what the peer has seen.

    :param instance: this device's present one
    :param seen: the highest counter of it that a peer knows of
    :return: whether that was so
    """
    declared = DeclaredCounter.objects.filter(instance_id=instance.id).values_list("counter", flat=True).first()
    if seen <= (instance.counter if declared is None else declared):
        return False
    logger.warning("Instance %s was put back from a backup; taking a new instance id", instance.id)
    take_new_instance_id()
    return True


def note_told(instance_id: str, declared: Any) -> None:
    """Note how far this device tells of itself in a transfer. It counts once records may follow, not before.

    :param instance_id: of this device's present instance, 32 hex digits
    :param declared: its counters in this transfer, in Morango's second format
    """
    # Having told nothing is noted, too: whoever then knows of anything knows it from before a restore.
    highest = highest_counter(declared, instance_id)
    noted, _ = DeclaredCounter.objects.get_or_create(instance_id=instance_id, defaults={"counter": highest})
    if noted.counter < highest:
        DeclaredCounter.objects.filter(instance_id=instance_id, counter__lt=highest).update(counter=highest)


def seen_in_pull(instance: InstanceIDModel, transfer_session: TransferSession) -> int:
    """The highest counter of this device's present instance in a pull: in the hub's counters, and in its records."""
    in_records = RecordMaxCounterBuffer.objects.filter(
        transfer_session=transfer_session, instance_id=instance.id
    ).aggregate(highest=Max("counter"))["highest"]
    saved = Buffer.objects.filter(transfer_session=transfer_session, last_saved_instance=instance.id).aggregate(
        highest=Max("last_saved_counter")
    )["highest"]
    declared = parsed_counters(transfer_session.server_fsic)
    return max(highest_counter(declared, instance.id), in_records or -1, saved or -1)


def serialize_anew(transfer_session: TransferSession) -> None:
    """Let a push send what was saved again under a new instance id, besides what it has declared.

    The hub knows the counters that were declared before, and so asks for these records once more another time.

    :param transfer_session: a push whose records are not queued yet
    """
    sync_filter = transfer_session.get_filter()
    serialize_edits(transfer_session.sync_session.profile, sync_filter)
    instance, _ = InstanceIDModel.get_or_create_current_instance()
    transfer_session.client_fsic = json.dumps(cover_own_records(sync_filter, instance.id))
    transfer_session.save(update_fields=["client_fsic"])


def take_new_instance_id() -> None:
    """Make this database another instance to all others; what nobody is known to have of it is its own anew.

    Morango makes an instance's id from its database's id, and Kolibri gives a restored database a new one in the
    same way (``dbrestore``, 0.19).
    """
    with transaction.atomic():
        former, _ = InstanceIDModel.get_or_create_current_instance()
        unknown = _not_known_elsewhere(former.id)
        DatabaseIDModel.objects.create()
        InstanceIDModel.get_or_create_current_instance(clear_cache=True)
        current = InstanceIDModel.get_current_instance_and_increment_counter()
        _make_own(unknown, former.id, current)


def _not_known_elsewhere(instance_id: str) -> dict[str, int]:
    """The records that this instance saved last and no peer is known to have, with what a peer does know of each."""
    known = known_elsewhere(instance_id)
    rows = Store.objects.filter(last_saved_instance=instance_id).values_list("id", "partition", "last_saved_counter")
    unknown = {}
    for record_id, partition, counter in rows:
        shared = max((known[noted] for noted in known if is_within(partition, [noted])), default=-1)
        if counter > shared:
            unknown[record_id] = shared
    return unknown


def _make_own(unknown: Mapping[str, int], former_id: str, current: InstanceIDModel) -> None:
    """Save these records as the present instance's, on top of what is known elsewhere.

    Their counters of the former instance may stand for something else by now, to those who have seen more of it.
    """
    for chunk in in_chunks(unknown):
        Store.objects.filter(id__in=chunk).update(last_saved_instance=current.id, last_saved_counter=current.counter)
        RecordMaxCounter.objects.filter(store_model_id__in=chunk, instance_id=former_id).delete()
        RecordMaxCounter.objects.bulk_create(_counters(chunk, unknown, former_id, current))


def _counters(
    record_ids: Iterable[str], unknown: Mapping[str, int], former_id: str, current: InstanceIDModel
) -> Iterable[RecordMaxCounter]:
    for record_id in record_ids:
        yield RecordMaxCounter(store_model_id=record_id, instance_id=current.id, counter=current.counter)
        if unknown[record_id] >= 0:
            yield RecordMaxCounter(store_model_id=record_id, instance_id=former_id, counter=unknown[record_id])
