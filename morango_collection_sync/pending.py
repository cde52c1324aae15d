"""This device's own edits: which of them no hub is known to have.

An edit is known to have reached a hub when a push of its partition was completed after it was serialized, or when a
hub's own counters say that it has it: a hub stores a whole push or nothing of it. Time plays no part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery
from morango.models.core import DeletedModels, InstanceIDModel, Store, TransferSession

from morango_collection_sync.edits import edited_partitions, serialize_edits
from morango_collection_sync.models import PushedCounter, collection_scoped_models
from morango_collection_sync.partitions import is_collection_partition
from morango_collection_sync.value_lists import texts, upsert_greater
from morango_collection_sync.verification.counters import prefixes_of

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
    if edited_partitions(profile):
        serialize_edits(profile, partitions_to_serialize(profile, dataset_id))


def partitions_to_serialize(profile: str, dataset_id: str) -> frozenset[str]:
    """The collection partitions with an edit, or the mark of a deletion, that is not in Morango's Store yet."""
    partitions: set[str] = set()
    for model in collection_scoped_models(profile):
        dirty = model.syncing_objects.filter(_morango_dirty_bit=True, dataset_id=dataset_id).order_by()
        partitions.update(dirty.values_list("_morango_partition", flat=True).distinct())
    deleted = Store.objects.filter(id__in=DeletedModels.objects.filter(profile=profile).values("id")).order_by()
    partitions.update(
        partition
        for partition in deleted.values_list("partition", flat=True).distinct()
        if is_collection_partition(partition, dataset_id)
    )
    return frozenset(partitions)


def pending_edits(partitions: Iterable[str]) -> list[Store]:
    """The Store records of these partitions that hold an edit of this device which no hub is known to have.

    :param partitions: collection partitions
    """
    pushed = PushedCounter.objects.filter(
        partition=OuterRef("partition"), instance_id=OuterRef("last_saved_instance")
    ).values("counter")
    own = Store.objects.filter(last_saved_instance__in=own_instance_ids()).annotate(pushed=Subquery(pushed))
    unknown = own.filter(Q(pushed__isnull=True) | Q(last_saved_counter__gt=F("pushed")))
    return list(unknown.filter(partition__in=texts(partitions)))


def note_pushed(transfer_session: TransferSession) -> None:
    """Note, at the end of a completed push, that a hub has what this device had serialized when it began.

    :param transfer_session: the push, with the counters that this device declared in it
    """
    note_declared(transfer_session.get_filter(), json.loads(transfer_session.client_fsic or "{}"))


def note_declared(sync_filter: Iterable[str], declared: Any) -> None:
    """Note what counters say of this device's own instances, in the partitions of a filter.

    :param sync_filter: the partitions of a session
    :param declared: the counters of whoever has these records, in Morango's second format; anything else says nothing
    """
    raise_pushed(_spread_over(sync_filter, declared, own_instance_ids()))


def partitions_pushed(partitions: Iterable[str]) -> frozenset[str]:
    """Those of these partitions of which a hub is known to have anything that this device saved."""
    rows = PushedCounter.objects.filter(instance_id__in=own_instance_ids())
    return frozenset(rows.filter(partition__in=texts(partitions)).values_list("partition", flat=True))


def known_elsewhere(instance_id: str) -> dict[str, int]:
    """For each partition, up to which counter a peer is known to have what this instance saved there.

    :param instance_id: 32 hex digits
    """
    return dict(PushedCounter.objects.filter(instance_id=instance_id).values_list("partition", "counter"))


def raise_pushed(counters: PartitionCounters) -> None:
    """Raise what is noted of these partitions to these counters; what is higher already stays."""
    rows = PushedCounter.objects.filter(partition__in=texts(counters))
    noted = {row[:2]: row[2] for row in rows.values_list("instance_id", "partition", "counter")}
    upsert_greater(
        PushedCounter,
        ("instance_id", "partition"),
        [
            (instance_id, partition, counter)
            for partition, held in counters.items()
            for instance_id, counter in held.items()
            if counter > noted.get((instance_id, partition), -1)
        ],
    )


def _spread_over(sync_filter: Iterable[str], declared: Any, instance_ids: frozenset[str]) -> dict[str, dict[str, int]]:
    own: dict[str, dict[str, int]] = {}
    parts = declared if isinstance(declared, dict) else {}
    for part in ("super", "sub"):
        partitions = parts.get(part)
        for partition, counters in partitions.items() if isinstance(partitions, dict) else ():
            for instance_id in instance_ids.intersection(counters if isinstance(counters, dict) else ()):
                counter = counters[instance_id]
                if isinstance(counter, int) and not isinstance(counter, bool):
                    held = own.setdefault(partition, {})
                    held[instance_id] = max(held.get(instance_id, -1), counter)
    spread: dict[str, dict[str, int]] = {}
    for partition in sync_filter:
        for prefix in ("", *prefixes_of(partition)):
            for instance_id, counter in own.get(prefix, {}).items():
                held = spread.setdefault(partition, {})
                held[instance_id] = max(held.get(instance_id, -1), counter)
    return spread
