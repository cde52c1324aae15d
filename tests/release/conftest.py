"""The fixtures of the tests of leaving and coming back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from morango_collection_sync.simulation.databases import Database, Databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.server import DeviceServer
from tests import school
from tests.conftest import Serve
from tests.release.town import Elsewhere, Town, become_hub
from tests.school import Joined


@dataclass(frozen=True)
class Prepared:
    """What every test begins with, made once: a school's hub, ada's tablet after its first sync, a second hub."""

    town: Town
    hub: Database
    tablet: Database
    second: Database
    joined: Joined


@pytest.fixture(scope="session")
def prepared(databases: Databases) -> Prepared:
    """The databases that those of each test are copies of."""
    hub, tablet, second = (Device(name, databases.new()) for name in ("hub", "tablet", "second"))
    town = Town(hub)
    with DeviceServer(hub) as server:
        with tablet:
            joined = school.join(server.base_url, "ada")
            joined.sync()
        become_hub(second, server.base_url)
    return Prepared(town, hub.database, tablet.database, second.database, joined)


@pytest.fixture
def copied() -> Iterator[Callable[[str, Database], Device]]:
    """Makes devices: ``copied("hub", database)`` is one whose database is a copy of that one."""
    made: list[Device] = []

    def make(name: str, database: Database) -> Device:
        made.append(Device(name, database.copy()))
        return made[-1]

    yield make
    for device in made:
        device.database.drop()


@pytest.fixture
def town(prepared: Prepared, copied: Any, serve: Serve) -> Town:
    """A school with a hub that answers over real HTTP."""
    hub = copied("hub", prepared.hub)
    return prepared.town.on(hub, serve(hub))


@pytest.fixture
def tablet(prepared: Prepared, copied: Any) -> Device:
    """Ada's tablet, after its first sync."""
    return copied("tablet", prepared.tablet)


@pytest.fixture
def joined(prepared: Prepared, town: Town, tablet: Device) -> Iterator[Joined]:
    """Ada's syncs with the hub, on her tablet, which the whole test is on."""
    with tablet:
        yield replace(prepared.joined, base_url=town.base_url)


@pytest.fixture
def second(prepared: Prepared, copied: Any) -> Device:
    """A second hub, which has what the first one has, and hears of nothing by itself."""
    return copied("second", prepared.second)


@pytest.fixture
def elsewhere(joined: Joined, second: Device, serve: Serve) -> Elsewhere:
    """Ada's syncs with the second hub, on her tablet, which the whole test is on."""
    return Elsewhere(joined, serve(second))
