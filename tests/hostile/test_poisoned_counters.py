"""Counters that were poisoned before this extension was there are found and mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from morango.models.core import DatabaseMaxCounter, InstanceIDModel, Store

from course_assignment.facility.models import PROFILE, Collection
from morango_collection_sync.audit import audit
from morango_collection_sync.poisoned_counters import Poison, find_poisoned_counters, mend_poisoned_counters
from morango_collection_sync.simulation.databases import Databases
from tests import school
from tests.hostile.town import Town

STRANGER = "d0" * 16
GREATEST = 2**31 - 1

Poisoned = tuple[str, str, int]


def _own(town: Town) -> Poisoned:
    own = InstanceIDModel.get_or_create_current_instance()[0]
    return town.partition(town.class_a), own.id, own.counter + 1


POISONED: dict[Poison, Callable[[Town], Poisoned]] = {
    Poison.PARTITION: lambda town: (town.partition(town.class_a) + "'", STRANGER, 1),
    Poison.DATASET: lambda town: ("e" * 32, STRANGER, 1),
    Poison.WHOLE: lambda town: (town.dataset_id, STRANGER, 1),
    Poison.OWN: _own,
    Poison.NEGATIVE: lambda town: (town.partition(town.class_a), STRANGER, -1),
    Poison.INCREDIBLE: lambda town: (town.partition(town.class_a), STRANGER, GREATEST),
    Poison.UNSHOWN: lambda town: (town.partition(town.class_a), STRANGER, 1000),
}


@contextmanager
def _on_device_of(poison: Poison, town: Town, databases: Databases) -> Iterator[None]:
    """The hub, or a member device where only there it is poison."""
    device = town.hub
    if poison is Poison.WHOLE:
        device, joined = town.device_of("ada", databases)
        with device:
            joined.sync()
    with device:
        yield


def _counters() -> set[Poisoned]:
    return set(DatabaseMaxCounter.objects.values_list("partition", "instance_id", "counter"))


@pytest.mark.parametrize("poison", Poison)
def test_poisoned_counter_is_found_and_mended_and_no_other(poison: Poison, guarded: Town, databases: Databases) -> None:
    with _on_device_of(poison, guarded, databases):
        before = _counters()
        partition, instance_id, counter = POISONED[poison](guarded)
        # Ahead of the device's own, where it has one: what mending goes back to is no row, or that one.
        rows = DatabaseMaxCounter.objects.filter(partition=partition, instance_id=instance_id)
        rows.update(counter=counter) or rows.create(partition=partition, instance_id=instance_id, counter=counter)

        told = [finding.reason for finding in audit(PROFILE, guarded.dataset_id)]
        found = find_poisoned_counters(guarded.dataset_id)
        mended = mend_poisoned_counters(found)

        assert [(each.partition, each.instance_id, each.counter, each.reason) for each in found] == [
            (partition, instance_id, counter, poison)
        ]
        assert mended == found
        assert len(told) == (0 if poison is Poison.UNSHOWN else 1)
        assert all(poison.value in reason for reason in told)
        assert find_poisoned_counters(guarded.dataset_id) == []
        own = InstanceIDModel.get_or_create_current_instance()[0]
        assert _counters() - {(partition, own.id, own.counter)} == before - {(partition, own.id, own.counter)}


def test_counter_is_lowered_to_what_records_show(guarded: Town) -> None:
    with guarded.hub:
        stored = Store.objects.get(id=guarded.assigned_a.id)
        stored.recordmaxcounter_set.create(instance_id=STRANGER, counter=12)
        DatabaseMaxCounter.objects.create(partition=stored.partition, instance_id=STRANGER, counter=99)
        DatabaseMaxCounter.objects.create(partition=guarded.dataset_id, instance_id=STRANGER, counter=12)

        mend_poisoned_counters(find_poisoned_counters(guarded.dataset_id))

        counters = DatabaseMaxCounter.objects.filter(instance_id=STRANGER).values_list("partition", "counter")
        assert dict(counters) == {stored.partition: 12, guarded.dataset_id: 12}


@pytest.mark.parametrize("counter", [1000, GREATEST])
def test_records_that_a_counter_has_hidden_come_once_it_is_mended(
    counter: int, guarded: Town, databases: Databases
) -> None:
    carols, of_carol = guarded.device_of("carol", databases)
    with carols:
        of_carol.sync()
        school.assign(Collection.objects.get(name="A"), "first")
        of_carol.sync()
        instance_id = InstanceIDModel.get_or_create_current_instance()[0].id
    adas, of_ada = guarded.device_of("ada", databases)
    with adas:
        of_ada.sync()
        DatabaseMaxCounter.objects.filter(instance_id=instance_id).update(counter=counter)
    with carols:
        school.assign(Collection.objects.get(name="A"), "second")
        of_carol.sync()
    with adas:
        of_ada.sync()
        assert school.held_assignments() == {"A", "first"}

        mend_poisoned_counters(find_poisoned_counters(guarded.dataset_id))
        of_ada.sync()

        assert school.held_assignments() == {"A", "first", "second"}


def test_counter_of_an_instance_that_was_put_back_is_not_poisoned(guarded: Town) -> None:
    """Others have seen more of it than it knows, and under its new id that does not matter."""
    with guarded.hub:
        former = InstanceIDModel.get_or_create_current_instance()[0]
        InstanceIDModel.objects.update(current=False)
        stored = Store.objects.get(id=guarded.assigned_a.id)
        stored.recordmaxcounter_set.filter(instance_id=former.id).update(counter=former.counter + 9)
        DatabaseMaxCounter.objects.update_or_create(
            partition=stored.partition, instance_id=former.id, defaults={"counter": former.counter + 9}
        )

        assert find_poisoned_counters(guarded.dataset_id) == []


def test_nothing_is_found_after_honest_syncs(guarded: Town, databases: Databases) -> None:
    device, joined = guarded.device_of("dan", databases)
    with device:
        for _ in range(3):
            joined.sync()
        assert find_poisoned_counters(guarded.dataset_id) == []
    with guarded.hub:
        assert find_poisoned_counters(guarded.dataset_id) == []
