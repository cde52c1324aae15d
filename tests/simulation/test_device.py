"""This process is one device at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import transaction
from morango.models.certificates import Nonce
from morango.models.core import InstanceIDModel

from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.device import Device, ProcessMemory, current_device
from morango_collection_sync.simulation.errors import ProcessKilled
from tests.conftest import NewDevice


def instance_id() -> str:
    return str(InstanceIDModel.get_or_create_current_instance()[0].id)


def work_until_killed(device: Device) -> None:
    with device, transaction.atomic():
        Nonce.objects.create()
        device.kill()


def test_each_device_is_an_instance_of_its_own(new_device: NewDevice) -> None:
    one, other = new_device("one"), new_device("other")
    with one:
        first = instance_id()
    with other:
        assert instance_id() != first
    with one:
        assert instance_id() == first


def test_outer_device_goes_on_as_itself_after_an_inner_one(new_device: NewDevice) -> None:
    one, other = new_device("one"), new_device("other")
    with one:
        first = instance_id()
        Nonce.objects.create()
        with other:
            instance_id()
            assert Nonce.objects.count() == 0
        assert instance_id() == first
        assert Nonce.objects.count() == 1


def test_current_device_is_the_inner_one(new_device: NewDevice) -> None:
    one, other = new_device("one"), new_device("other")
    assert current_device() is None
    with one:
        with other:
            assert current_device() is other
        assert current_device() is one
    assert current_device() is None


def test_device_can_be_entered_again_inside_itself(new_device: NewDevice) -> None:
    one, other = new_device("one"), new_device("other")
    with one:
        Nonce.objects.create()
        with other, one:
            assert Nonce.objects.count() == 1
        assert Nonce.objects.count() == 1


def test_failed_transaction_of_one_device_leaves_that_of_another_alone(new_device: NewDevice) -> None:
    one, other = new_device("one"), new_device("other")
    with one:
        with transaction.atomic():
            Nonce.objects.create()
            with other, transaction.atomic():
                Nonce.objects.create()
                transaction.set_rollback(True)
        assert Nonce.objects.count() == 1
    with other:
        assert Nonce.objects.count() == 0


def test_memory_of_the_host_is_each_devices_own(databases: Databases) -> None:
    module = SimpleNamespace(cache="outside")
    memory = (ProcessMemory(module, "cache"),)
    one, other = (Device(name, databases.new(), memory=memory) for name in ("one", "other"))
    with one:
        assert module.cache is None
        module.cache = "of one"
        with other:
            assert module.cache is None
        assert module.cache == "of one"
    assert module.cache == "outside"
    with one:
        assert module.cache == "of one"


def test_what_is_special_on_a_device_is_so_only_there(databases: Databases) -> None:
    places: list[str] = []

    @contextmanager
    def special() -> Iterator[None]:
        places.append("in")
        yield
        places.append("out")

    with Device("one", databases.new(), while_active=[special]):
        assert places == ["in"]
    assert places == ["in", "out"]


def test_killed_process_forgets_and_loses_what_it_had_not_committed(new_device: NewDevice) -> None:
    device = new_device("one")
    with device:
        before = instance_id()
        Nonce.objects.create()
    with pytest.raises(ProcessKilled):
        work_until_killed(device)
    with device:
        assert InstanceIDModel._cached_instance is None
        assert Nonce.objects.count() == 1
        assert instance_id() == before


def test_restored_device_is_the_instance_that_it_was_and_knows_what_it_knew(new_device: NewDevice) -> None:
    device = new_device("one")
    with device:
        before = instance_id()
        backup = device.database.copy()
        Nonce.objects.create()
    device.restore(backup)
    with device:
        assert instance_id() == before
        assert Nonce.objects.count() == 0
