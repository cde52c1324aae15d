"""Counters that were poisoned before this extension was there are found and mended."""

from __future__ import annotations

import pytest
from morango.models.core import DatabaseMaxCounter, InstanceIDModel, Store

from morango_collection_sync.poisoned_counters import Poison, find_poisoned_counters, mend_poisoned_counters
from morango_collection_sync.simulation.databases import Databases
from tests.hostile.town import Town

STRANGER = "d0" * 16


def _poisonings(town: Town) -> dict[Poison, tuple[str, str, int]]:
    own = InstanceIDModel.get_or_create_current_instance()[0]
    partition = town.partition(town.class_a)
    return {
        Poison.PARTITION: (partition + "'", STRANGER, 1),
        Poison.DATASET: ("e" * 32, STRANGER, 1),
        Poison.OWN: (partition, own.id, own.counter + 1),
        Poison.NEGATIVE: (partition, "d1" * 16, -1),
        Poison.UNSHOWN: (partition, STRANGER, 2**31 - 1),
    }


@pytest.mark.parametrize("poison", Poison)
def test_poisoned_counter_is_found_and_mended(poison: Poison, guarded: Town) -> None:
    with guarded.hub:
        partition, instance_id, counter = _poisonings(guarded)[poison]
        DatabaseMaxCounter.objects.create(partition=partition, instance_id=instance_id, counter=counter)

        found = find_poisoned_counters(guarded.dataset_id)
        mended = mend_poisoned_counters(found)

        assert [(each.partition, each.instance_id, each.counter, each.reason) for each in found] == [
            (partition, instance_id, counter, poison)
        ]
        assert mended == 1
        assert find_poisoned_counters(guarded.dataset_id) == []


def test_counter_is_lowered_to_what_records_show(guarded: Town) -> None:
    with guarded.hub:
        stored = Store.objects.get(id=guarded.assigned_a.id)
        stored.recordmaxcounter_set.create(instance_id=STRANGER, counter=12)
        DatabaseMaxCounter.objects.create(partition=stored.partition, instance_id=STRANGER, counter=99)

        mend_poisoned_counters(find_poisoned_counters(guarded.dataset_id))

        assert DatabaseMaxCounter.objects.get(instance_id=STRANGER).counter == 12


def test_nothing_is_found_after_honest_syncs(guarded: Town, databases: Databases) -> None:
    device, joined = guarded.device_of("dan", databases)
    with device:
        for _ in range(3):
            joined.sync()
        assert find_poisoned_counters(guarded.dataset_id) == []
    with guarded.hub:
        assert find_poisoned_counters(guarded.dataset_id) == []
