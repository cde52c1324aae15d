"""The fixtures of the end-to-end tests: one hub that serves them all, and a device of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.kolibri.homes import Home

NewHome = Callable[..., Home]


@dataclass(frozen=True)
class Hub:
    """A running hub with the plugin.

    :param home: its device
    :param url: where it answers
    :param facility_id: 32 hex digits
    :param dataset_id: 32 hex digits
    """

    home: Home
    url: str
    facility_id: str
    dataset_id: str

    def sync(self, device: Home, username: str, url: str | None = None) -> None:
        """Sync a device with this hub for one of its users.

        :param url: where to reach the hub, if not directly
        """
        device.sync(url or self.url, self.facility_id, self.home.act(["user_id", username]), username)

    def join(self, device: Home, username: str, url: str | None = None) -> None:
        """Make a device one of this user's and sync it, by the driver of this project, which does not sleep.

        :param url: where to reach the hub, if not directly
        """
        device.act(["join", url or self.url, self.facility_id, username, self.home.act(["user_id", username])])


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that is migrated and otherwise empty. Only to be copied."""
    home = Home(tmp_path_factory.mktemp("migrated"))
    home.kolibri("manage", "migrate", "--noinput")
    return home


@pytest.fixture(scope="session")
def stock_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home of a Kolibri without the plugin, migrated and otherwise empty. Only to be copied."""
    home = Home(tmp_path_factory.mktemp("stock"), plugin=False)
    home.kolibri("manage", "migrate", "--noinput")
    return home


@pytest.fixture(scope="session")
def hub_home(migrated_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a facility and nothing in it. Only to be copied."""
    home = migrated_home.copy(tmp_path_factory.mktemp("hubs") / "empty-hub")
    home.act(["make_facility", "Hillside"])
    home.close()
    return home


@pytest.fixture(scope="session")
def hub(hub_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One hub for all tests. Each test makes classes and users of its own there, while the hub serves."""
    home = hub_home.copy(tmp_path_factory.mktemp("served") / "hub")
    facility = home.act(["facility"])
    url = home.start()
    yield Hub(home, url, facility["id"], facility["dataset_id"])
    home.close()


@pytest.fixture
def new_home(tmp_path: Path) -> Iterator[NewHome]:
    """Makes devices from a template: ``new_home(migrated_home, "tablet")``. Their processes are ended afterwards."""
    made: list[Home] = []

    def make(template: Home, name: str, **changes: Any) -> Home:
        made.append(template.copy(tmp_path / name, **changes))
        return made[-1]

    yield make
    for home in made:
        home.close()


@pytest.fixture
def tablet(new_home: NewHome, migrated_home: Home) -> Home:
    """A device that nobody has used yet, with the plugin."""
    return new_home(migrated_home, "tablet")


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """Nothing to do: each process of the tests has its databases in memory, and pytest-django would name files."""


@pytest.fixture(autouse=True)
def forget_other_databases() -> None:
    """Kolibri remembers settings of the device in this process, beyond the end of a test's transaction."""
    from kolibri.core.auth.models import dataset_cache
    from kolibri.core.utils.cache import process_cache

    process_cache.clear()
    dataset_cache.clear()
