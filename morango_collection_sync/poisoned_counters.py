"""Counters of this database that say more than is so: found, and mended.

A counter that is too high makes this database never ask for what it claims to have. Such ones come from a peer that
was believed before this extension was there, and a partition that is none breaks every sync that puts it into SQL.
Lowering a counter loses nothing: what lies above it is asked for, and whatever is here already changes nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from itertools import takewhile
from typing import Any

from django.db import transaction
from django.db.models import Max
from morango.models.certificates import Certificate
from morango.models.core import DatabaseMaxCounter, InstanceIDModel, RecordMaxCounter

from morango_collection_sync.partitions import is_well_formed, is_within
from morango_collection_sync.release import holds_dataset

HIGHEST_CREDIBLE = 2**30
"""An instance counts once for each time that it serializes: once a second, without a pause, it takes 34 years."""


class Poison(Enum):
    """What is wrong with a counter."""

    PARTITION = "it is for something that is no partition"
    DATASET = "it is for a dataset that this device does not have"
    WHOLE = "it is for the whole dataset, which a member device cannot have"
    OWN = "it is for this device itself, and higher than it has counted"
    NEGATIVE = "it is negative"
    INCREDIBLE = "it is higher than any device can have counted"
    UNSHOWN = "it is higher than any record that is here shows"

    @property
    def is_certain(self) -> bool:
        """Whether such a counter cannot be honest.

        Plain Morango counts on without changing anything, and believes a peer that has, so that a database which it
        has written may have counters that no record shows, with nothing lost.
        """
        return self is not Poison.UNSHOWN


@dataclass(frozen=True)
class PoisonedCounter:
    """A counter that says more than is so, or may do so.

    :param partition: as it stands in the database, whatever that is
    :param instance_id: 32 hex digits
    :param mended: what it is to be: the highest that is backed by what is here; None to be dropped
    """

    partition: str
    instance_id: str
    counter: int
    mended: int | None
    reason: Poison

    def as_json(self) -> dict[str, Any]:
        """A dict of JSON values."""
        return {**asdict(self), "reason": self.reason.value}


def find_poisoned_counters(dataset_id: str) -> list[PoisonedCounter]:
    """The counters of a dataset that say more than is so, and those that are of no dataset of this device.

    :param dataset_id: 32 hex digits
    """
    shown = _shown_by_records()
    # Of one that it was before it was put back from a backup, others may well have seen more than it knows.
    own = dict(InstanceIDModel.objects.filter(current=True).values_list("id", "counter"))
    # A dataset may be here before its certificate is.
    datasets = {dataset_id, *Certificate.objects.filter(parent=None).values_list("id", flat=True)}
    is_member = not holds_dataset(dataset_id)
    found = []
    for row in DatabaseMaxCounter.objects.order_by("partition", "instance_id"):
        highest = own.get(row.instance_id, _highest(shown.get(row.instance_id, ()), row.partition))
        reason = _of_any_dataset(row, datasets)
        if reason is None and is_within(row.partition, ["", dataset_id]):
            reason = _of_dataset(row, highest, dataset_id, is_own=row.instance_id in own, is_member=is_member)
        if reason is not None:
            lowered = reason in (Poison.OWN, Poison.INCREDIBLE, Poison.UNSHOWN) and highest > 0
            found.append(
                PoisonedCounter(row.partition, row.instance_id, row.counter, highest if lowered else None, reason)
            )
    return found


def mend_poisoned_counters(found: Iterable[PoisonedCounter]) -> list[PoisonedCounter]:
    """Lower these counters to what is so, and drop those of which nothing is, all or none.

    Counters of which it is not certain that they are poisoned may be among them: to mend one that was honest is
    harmless, and a peer that counts on raises it again.

    :return: those that were mended; one that has changed since it was found is let be
    """
    with transaction.atomic():
        return [poisoned for poisoned in found if _mend(poisoned)]


def _mend(poisoned: PoisonedCounter) -> bool:
    rows = DatabaseMaxCounter.objects.filter(
        partition=poisoned.partition, instance_id=poisoned.instance_id, counter=poisoned.counter
    )
    if poisoned.mended is None:
        return rows.delete()[0] > 0
    return rows.update(counter=poisoned.mended) > 0


def _of_any_dataset(row: DatabaseMaxCounter, datasets: set[str]) -> Poison | None:
    if row.partition and not is_well_formed(row.partition):
        return Poison.PARTITION
    return Poison.DATASET if row.partition and not is_within(row.partition, datasets) else None


def _of_dataset(
    row: DatabaseMaxCounter, highest: int, dataset_id: str, *, is_own: bool, is_member: bool
) -> Poison | None:
    if is_member and row.partition in ("", dataset_id):
        return Poison.WHOLE
    if row.counter < 0:
        return Poison.NEGATIVE
    if row.counter <= highest:
        return None
    if is_own:
        return Poison.OWN
    return Poison.INCREDIBLE if row.counter > HIGHEST_CREDIBLE else Poison.UNSHOWN


def _shown_by_records() -> Mapping[str, list[tuple[str, int]]]:
    """By instance, each partition with the highest counter of that instance that a record in it has, in order."""
    highest = (
        RecordMaxCounter.objects.order_by()
        .values_list("instance_id", "store_model__partition")
        .annotate(highest=Max("counter"))
    )
    shown = defaultdict(list)
    for instance_id, partition, counter in highest:
        shown[instance_id].append((partition, counter))
    return {instance_id: sorted(partitions) for instance_id, partitions in shown.items()}


def _highest(shown: list[tuple[str, int]] | tuple[()], prefix: str) -> int:
    """The highest counter that is shown in a partition or below it, as Morango compares them; 0 for none."""
    below = takewhile(lambda each: each[0].startswith(prefix), shown[bisect_left(shown, (prefix,)) :])
    return max((counter for _, counter in below), default=0)
