"""Killing a process at an operation of a stage."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from morango.constants import transfer_stages, transfer_statuses
from morango.models.certificates import Nonce
from morango.registry import session_middleware

from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.errors import ProcessKilled
from morango_collection_sync.simulation.faults import Kill, Moment, OperationRun, PlannedFaults
from morango_collection_sync.simulation.network import Network
from tests.conftest import NewDevice

CLIENT, SERVER = SimpleNamespace(is_server=False), SimpleNamespace(is_server=True)


class TwoNonces:
    """An operation that commits a nonce, and another one together with a third."""

    def __call__(self, context: Any) -> str:
        Nonce.objects.create()
        with transaction.atomic():
            Nonce.objects.create()
            Nonce.objects.create()
        return transfer_statuses.COMPLETED


class NotMine:
    """An operation that leaves every context to the next one."""

    def __call__(self, context: Any) -> bool:
        return False


@pytest.fixture
def device(new_device: NewDevice, network: Network) -> Iterator[Device]:
    """A device that is killed on the network, and whose cleanup is the two operations above."""
    stage = session_middleware[-1]
    before = list(stage)
    stage[:] = [NotMine(), TwoNonces()]
    yield new_device("tablet")
    stage[:] = before


def run_cleanup(device: Device, context: Any = CLIENT) -> Any:
    with device:
        return session_middleware[-1](context)


def plan(network: Network, moment: Moment, operation: type = TwoNonces, writes: int = 0) -> None:
    run = OperationRun(transfer_stages.CLEANUP, operation.__name__, False)
    network.faults = PlannedFaults(kill=Kill(run, moment, writes))


def committed(device: Device) -> int:
    with device:
        return Nonce.objects.count()


def test_process_is_killed_before_the_operation(device: Device, network: Network) -> None:
    plan(network, Moment.BEFORE)
    with pytest.raises(ProcessKilled):
        run_cleanup(device)
    assert committed(device) == 0


def test_process_is_killed_within_the_operation(device: Device, network: Network) -> None:
    # Between its second and third row, which go together.
    plan(network, Moment.WITHIN, writes=2)
    with pytest.raises(ProcessKilled):
        run_cleanup(device)
    assert committed(device) == 1


def test_process_is_killed_after_the_operation(device: Device, network: Network) -> None:
    plan(network, Moment.AFTER)
    with pytest.raises(ProcessKilled):
        run_cleanup(device)
    assert committed(device) == 3


def test_process_survives_where_the_operation_writes_less_often(device: Device, network: Network) -> None:
    plan(network, Moment.WITHIN, writes=3)
    assert run_cleanup(device) == transfer_statuses.COMPLETED


def test_process_is_not_killed_after_an_operation_that_did_nothing(device: Device, network: Network) -> None:
    plan(network, Moment.AFTER, NotMine)
    assert run_cleanup(device) == transfer_statuses.COMPLETED


def test_process_is_not_killed_on_the_other_side(device: Device, network: Network) -> None:
    plan(network, Moment.BEFORE)
    assert run_cleanup(device, SERVER) == transfer_statuses.COMPLETED


def test_started_again_the_device_goes_through_the_operation(device: Device, network: Network) -> None:
    plan(network, Moment.BEFORE)
    with pytest.raises(ProcessKilled):
        run_cleanup(device)
    assert run_cleanup(device) == transfer_statuses.COMPLETED


def test_kill_is_counted_and_noted(device: Device, network: Network) -> None:
    plan(network, Moment.AFTER)
    with pytest.raises(ProcessKilled):
        run_cleanup(device)
    assert network.faults.happened == {Moment.AFTER: 1}
    assert str(network.trace) == "tablet killed after cleanup.TwoNonces"


def test_operations_are_left_alone_without_a_network() -> None:
    called = type(session_middleware[0]).__call__
    with Network():
        assert type(session_middleware[0]).__call__ is not called
    assert type(session_middleware[0]).__call__ is called
