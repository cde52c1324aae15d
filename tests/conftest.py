"""The fixtures of all tests: devices with a database of their own each, served over real HTTP or by a network."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, settings

from morango_collection_sync.simulation.databases import Databases, migrated_databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.network import Network
from morango_collection_sync.simulation.server import DeviceServer

# How fast an example is says how busy the machine is, and nothing about us.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# Who ends a run from outside (a time limit does) ends the PostgreSQL server that it has started, too.
signal.signal(signal.SIGTERM, signal.default_int_handler)

NewDevice = Callable[[str], Device]
Serve = Callable[[Device], str]


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """No database for pytest-django: those of the devices are all there are."""


@pytest.fixture(scope="session")
def databases(django_db_blocker: Any) -> Iterator[Databases]:
    """Where the devices' databases come from, of the kind that ``TEST_DATABASE`` names."""
    with django_db_blocker.unblock(), migrated_databases(prepare=_load_scope_definitions) as source:
        yield source


@pytest.fixture
def new_device(databases: Databases) -> Iterator[NewDevice]:
    """Makes devices: ``with new_device("hub"): ...`` is that device, with an empty, migrated database."""
    made: list[Device] = []

    def make(name: str) -> Device:
        device = Device(name, databases.new())
        made.append(device)
        return device

    yield make
    for device in made:
        device.database.drop()


@pytest.fixture
def device(new_device: NewDevice) -> Iterator[Device]:
    """One device, which the whole test is on."""
    with new_device("device") as only:
        yield only


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a device over real HTTP until the test ends: ``serve(hub)`` is its base URL."""
    with ExitStack() as servers:
        yield lambda device: servers.enter_context(DeviceServer(device)).base_url


@pytest.fixture
def network() -> Iterator[Network]:
    """A network without sockets: ``network.add(hub)`` is the hub's base URL, ``network.faults`` what goes wrong."""
    with Network() as network:
        yield network


def _load_scope_definitions() -> None:
    call_command("loaddata", "scopedefinitions", verbosity=0)
