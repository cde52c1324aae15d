"""This device's own edits: which of them no hub is known to have.

An edit is known to have reached a hub when a push of its partition was completed after it was serialized, or when a
hub has sent it (or one made later in the same partition by the same instance) to this device. Time plays no part.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, Max, OuterRef, Q, Subquery
from morango.models.certificates import Filter
from morango.models.core import Buffer, DeletedModels, InstanceIDModel, Store, TransferSession
from morango.sync.controller import MorangoProfileController

from morango_collection_sync.deletions import forget_undone_deletions
from morango_collection_sync.models import PushedCounter, collection_scoped_models, in_chunks
from morango_collection_sync.partitions import is_collection_partition, is_within

PartitionCounters = Mapping[str, Mapping[str, int]]
"""For each partition, for each instance id, a counter."""


def own_instance_ids() -> frozenset[str]:
    """The instance ids that this device has, and has had."""
    return frozenset(InstanceIDModel.objects.values_list("id", flat=True))


def serialize_pending(profile: str, dataset_id: str) -> None:
    """Bring every edit of a collection-scoped record into Morango's Store, whatever a session's filter is.

    What is only in the app's tables is lost without a trace when the pull of a deleted collection takes it along.

    :param profile: the Morango profile
    :param dataset_id: 32 hex digits
    """
    partitions: set[str] = set()
    for model in collection_scoped_models(profile):
        dirty = model.syncing_objects.filter(_morango_dirty_bit=True, dataset_id=dataset_id).order_by()
        partitions.update(dirty.values_list("_morango_partition", flat=True).distinct())
    forget_undone_deletions(profile)
    deleted = Store.objects.filter(id__in=DeletedModels.objects.filter(profile=profile).values("id")).order_by()
    partitions.update(
        partition
        for partition in deleted.values_list("partition", flat=True).distinct()
        if is_collection_partition(partition, dataset_id)
    )
    for chunk in in_chunks(partitions):
        MorangoProfileController(profile).serialize_into_store(filter=Filter("\n".join(chunk)))


def pending_edits(partitions: Iterable[str]) -> list[Store]:
    """The Store records of these partitions that hold an edit of this device which no hub is known to have.

    :param partitions: collection partitions
    """
    pushed = PushedCounter.objects.filter(
        partition=OuterRef("partition"), instance_id=OuterRef("last_saved_instance")
    ).values("counter")
    own = Store.objects.filter(last_saved_instance__in=own_instance_ids()).annotate(pushed=Subquery(pushed))
    unknown = own.filter(Q(pushed__isnull=True) | Q(last_saved_counter__gt=F("pushed")))
    return [record for chunk in in_chunks(partitions) for record in unknown.filter(partition__in=chunk)]


def note_pushed(transfer_session: TransferSession) -> None:
    """Note, at the end of a completed push, that a hub has what this device had serialized when it began.

    :param transfer_session: the push, with the counters that this device declared in it
    """
    note_declared(transfer_session.get_filter(), json.loads(transfer_session.client_fsic or "{}"))


def note_declared(sync_filter: Iterable[str], declared: Any) -> None:
    """Note what counters say of this device's own instances, in the partitions of a filter.

    :param sync_filter: the partitions of a session
    :param declared: counters in Morango's second format; anything else says nothing
    """
    raise_pushed(_spread_over(sync_filter, declared, own_instance_ids()))


def note_held_by_hub(transfer_session: TransferSession) -> None:
    """Note, before a pull's records are stored, which of this device's own edits the hub sends back.

    A push whose end this device did not hear of has completed all the same. A hub stores a whole push or nothing of
    it, so having one edit means having all before it.
    """
    rows = (
        Buffer.objects.filter(transfer_session=transfer_session, last_saved_instance__in=own_instance_ids())
        .values_list("partition", "last_saved_instance")
        .annotate(counter=Max("last_saved_counter"))
        .order_by()
    )
    counters: dict[str, dict[str, int]] = defaultdict(dict)
    for partition, instance_id, counter in rows:
        if is_collection_partition(partition):
            counters[partition][instance_id] = counter
    raise_pushed(counters)


def known_elsewhere(instance_id: str) -> dict[str, int]:
    """For each partition, up to which counter a peer is known to have what this instance saved there.

    :param instance_id: 32 hex digits
    """
    return dict(PushedCounter.objects.filter(instance_id=instance_id).values_list("partition", "counter"))


def raise_pushed(counters: PartitionCounters) -> None:
    """Raise what is noted of these partitions to these counters; what is higher already stays."""
    for chunk in in_chunks(counters):
        noted = _pushed(chunk)
        for partition in chunk:
            for instance_id, counter in counters[partition].items():
                if counter > noted[partition].get(instance_id, -1):
                    PushedCounter.objects.update_or_create(
                        partition=partition, instance_id=instance_id, defaults={"counter": counter}
                    )


def _pushed(partitions: Iterable[str]) -> dict[str, dict[str, int]]:
    noted: dict[str, dict[str, int]] = defaultdict(dict)
    rows = PushedCounter.objects.filter(partition__in=list(partitions))
    for partition, instance_id, counter in rows.values_list("partition", "instance_id", "counter"):
        noted[partition][instance_id] = counter
    return noted


def _spread_over(sync_filter: Iterable[str], declared: Any, instance_ids: frozenset[str]) -> dict[str, dict[str, int]]:
    spread: dict[str, dict[str, int]] = defaultdict(dict)
    sync_filter = list(sync_filter)
    parts = declared if isinstance(declared, dict) else {}
    for part in ("super", "sub"):
        partitions = parts.get(part)
        for declared_partition, counters in partitions.items() if isinstance(partitions, dict) else ():
            for instance_id in instance_ids.intersection(counters if isinstance(counters, dict) else ()):
                counter = counters[instance_id]
                if isinstance(counter, bool) or not isinstance(counter, int):
                    continue
                for partition in sync_filter:
                    if not declared_partition or is_within(partition, [declared_partition]):
                        spread[partition][instance_id] = max(spread[partition].get(instance_id, -1), counter)
    return spread
