"""Counters of this database that say more than is so: found, and mended.

A counter that is too high makes this database never ask for what it claims to have. Such ones come from a peer that
was believed before this extension was there, and a partition that is none breaks every sync that puts it into SQL.
Lowering a counter loses nothing: what lies above it is asked for, and whatever is here already changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from django.db import transaction
from django.db.models import Max, OuterRef, Subquery
from morango.models.certificates import Certificate
from morango.models.core import DatabaseMaxCounter, InstanceIDModel, RecordMaxCounter

from morango_collection_sync.partitions import is_well_formed, is_within


class Poison(Enum):
    """What is wrong with a counter."""

    PARTITION = "it is for something that is no partition"
    DATASET = "it is for a dataset that this device does not have"
    OWN = "it is for this device itself, and higher than it has counted"
    NEGATIVE = "it is negative"
    UNSHOWN = "it is higher than any record that is here shows"


@dataclass(frozen=True)
class PoisonedCounter:
    """A counter that says more than is so.

    :param partition: as it stands in the database, whatever that is
    :param instance_id: 32 hex digits
    :param shown: the highest counter that is backed by what is here; 0 for none
    """

    partition: str
    instance_id: str
    counter: int
    shown: int
    reason: Poison


def find_poisoned_counters(dataset_id: str) -> list[PoisonedCounter]:
    """The counters of a dataset that say more than is so, and those that are of no dataset of this device.

    Plain Morango believes a peer that has counted on without changing anything, so that a database which it has
    written may have counters that no record shows, with nothing lost; to mend those is harmless, too.

    :param dataset_id: 32 hex digits
    """
    # What a record has of an instance, in or below the counter's partition.
    shown = (
        RecordMaxCounter.objects.filter(
            instance_id=OuterRef("instance_id"), store_model__partition__startswith=OuterRef("partition")
        )
        .order_by()
        .values("instance_id")
        .annotate(highest=Max("counter"))
        .values("highest")
    )
    rows = DatabaseMaxCounter.objects.annotate(shown=Subquery(shown)).order_by("partition", "instance_id")
    own = dict(InstanceIDModel.objects.values_list("id", "counter"))
    datasets = set(Certificate.objects.filter(parent=None).values_list("id", flat=True))
    found = []
    for row in rows:
        reason = _poison(row, row.shown or 0, dataset_id, datasets, own)
        if reason is not None:
            backed = own.get(row.instance_id, row.shown or 0)
            found.append(PoisonedCounter(row.partition, row.instance_id, row.counter, backed, reason))
    return found


def mend_poisoned_counters(found: Iterable[PoisonedCounter]) -> int:
    """Lower these counters to what is so, and drop those of which nothing is.

    :return: how many were changed or dropped
    """
    mended = 0
    with transaction.atomic():
        for poisoned in found:
            rows = DatabaseMaxCounter.objects.filter(
                partition=poisoned.partition, instance_id=poisoned.instance_id, counter=poisoned.counter
            )
            if poisoned.shown and poisoned.reason in (Poison.OWN, Poison.UNSHOWN):
                mended += rows.update(counter=poisoned.shown)
            else:
                mended += rows.delete()[0]
    return mended


def _poison(
    row: DatabaseMaxCounter, shown: int, dataset_id: str, datasets: set[str], own: dict[str, int]
) -> Poison | None:
    if row.partition and not is_well_formed(row.partition):
        return Poison.PARTITION
    if row.partition and not is_within(row.partition, datasets):
        return Poison.DATASET
    if row.partition and not is_within(row.partition, [dataset_id]):
        return None
    if row.counter < 0:
        return Poison.NEGATIVE
    if row.instance_id in own:
        return Poison.OWN if row.counter > own[row.instance_id] else None
    return Poison.UNSHOWN if row.counter > shown else None
