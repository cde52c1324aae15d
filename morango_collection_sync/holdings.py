"""What this database has of a filter: the counters that it tells a peer, in a few statements for any filter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Max, Q
from django.db.models.functions import Length
from morango.models.core import DatabaseMaxCounter, RecordMaxCounter, Store
from morango.utils import SETTINGS

from morango_collection_sync.filter_counters import ByPartition, without_redundant
from morango_collection_sync.prefixes import Prefixes
from morango_collection_sync.value_lists import beginning_with, texts, upsert_greater


class _Saved(NamedTuple):
    """That an instance saved records of a partition; for the side that sends, the greatest counter that it used."""

    partition: str
    instance_id: str
    counter: int


def counters_of(sync_filter: Iterable[str], *, is_producer: bool) -> dict[str, ByPartition]:
    """The counters of this database for a filter, in Morango's second format.

    They are what ``DatabaseMaxCounter.calculate_filter_specific_instance_counters`` gives (Morango 0.8.15), which
    breaks on SQLite beyond 998 partitions and takes a statement for each on any database.

    :param sync_filter: prefixes of partitions
    :param is_producer: whether this is the side that sends, which tells only of instances that saved a record last;
        the side that receives tells of all that any version of a record is of
    """
    return _Holdings(sync_filter, is_producer=is_producer).counters()


def cover_own_records(
    sync_filter: Iterable[str], instance_id: str, *, each_partition: bool = False
) -> dict[str, ByPartition]:
    """Let this database tell of every record that it saved itself, and return :func:`counters_of` for sending.

    Morango notes how far an instance has come in the partitions that it serializes; a deletion is serialized whatever
    these are, and a merge in none (``_serialize_into_store``, ``_dequeue_into_store``, 0.8.15). Serializing again
    would note it; so does this, where nothing is left to serialize.

    :param sync_filter: prefixes of partitions
    :param instance_id: this database's present instance, 32 hex digits
    :param each_partition: whether to tell it of each partition of the filter, and not only of what lies above them:
        that is all that plain Morango reads, and it would be sent the same records for ever
    """
    held = _Holdings(sync_filter, is_producer=True)
    raised = held.uncovered(instance_id, each_partition=each_partition)
    upsert_greater(
        DatabaseMaxCounter,
        ("instance_id", "partition"),
        [(instance_id, partition, counter) for partition, counter in raised.items()],
    )
    held.raise_to(instance_id, raised)
    return held.counters(each_partition=each_partition)


class _Holdings:
    def __init__(self, sync_filter: Iterable[str], *, is_producer: bool) -> None:
        self.is_producer = is_producer
        self._wanted = Prefixes(sync_filter)
        near = self._partitions_near()
        self._inside = {each for each in near if self._wanted.begin(each)}
        self._around = {each for each in near if self._wanted.reach_beyond(each)}
        self._declared: ByPartition = {}
        rows = DatabaseMaxCounter.objects.filter(partition__in=texts(self._inside | self._around))
        for partition, instance_id, counter in rows.values_list("partition", "instance_id", "counter"):
            self._declared.setdefault(partition, {})[instance_id] = counter
        self._saved = self._last_saved() if is_producer else self._ever_saved()

    def counters(self, *, each_partition: bool = False) -> dict[str, ByPartition]:
        around: ByPartition = {}
        if self._around:
            around = DatabaseMaxCounter.get_instance_counters_for_partitions(self._around, self.is_producer)
        counters = {"super": around, "sub": self._relevant()}
        return counters if each_partition else without_redundant(counters)

    def uncovered(self, instance_id: str, *, each_partition: bool) -> dict[str, int]:
        """Of the filter, the partitions in which an instance saved what no counter tells of, and up to where."""
        telling = self._inside if each_partition else self._declared
        told = Prefixes(partition for partition in telling if instance_id in self._declared.get(partition, {}))
        missing: dict[str, int] = {}
        for saved in self._saved:
            if saved.instance_id != instance_id:
                continue
            if all(self._declared[each][instance_id] < saved.counter for each in told.of(saved.partition)):
                partition = self._wanted.of(saved.partition)[0]
                missing[partition] = max(saved.counter, missing.get(partition, 0))
        return missing

    def raise_to(self, instance_id: str, counters: dict[str, int]) -> None:
        for partition, counter in counters.items():
            self._inside.add(partition)
            if self._wanted.reach_beyond(partition):
                self._around.add(partition)
            self._declared.setdefault(partition, {})[instance_id] = counter

    def _relevant(self) -> ByPartition:
        """What is declared inside the filter, without instances of which no record is left there."""
        if SETTINGS.MORANGO_DISABLE_FSIC_REDUCTION:
            return {each: held for each, held in self._declared.items() if each in self._inside}
        inside = Prefixes(self._inside)
        relevant: ByPartition = {}
        for saved in self._saved:
            for partition in inside.of(saved.partition):
                counter = self._declared.get(partition, {}).get(saved.instance_id)
                if counter is not None:
                    relevant.setdefault(partition, {})[saved.instance_id] = counter
        return relevant

    def _partitions_near(self) -> set[str]:
        """The partitions of which anything is declared and that may lie inside the filter, or it in them."""
        common = self._wanted.common()
        longest = max(self._wanted.lengths, default=0)
        declared = DatabaseMaxCounter.objects.order_by()
        inside = beginning_with(declared, "partition", self._wanted)
        around = declared.alias(length=Length("partition")).filter(
            Q(partition__in=[common[:length] for length in range(len(common) + 1)])
            | Q(length__lt=longest, partition__startswith=common)
        )
        return set(inside.values_list("partition", flat=True).union(around.values_list("partition", flat=True)))

    def _last_saved(self) -> list[_Saved]:
        stored = beginning_with(Store.objects.order_by(), "partition", self._wanted)
        rows = stored.values_list("partition", "last_saved_instance").annotate(greatest=Max("last_saved_counter"))
        return [_Saved(*row) for row in rows]

    def _ever_saved(self) -> list[_Saved]:
        versions = beginning_with(RecordMaxCounter.objects.order_by(), "store_model__partition", self._wanted)
        rows = versions.values_list("store_model__partition", "instance_id").distinct()
        return [_Saved(partition, instance_id, -1) for partition, instance_id in rows]
