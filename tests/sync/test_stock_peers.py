"""Peers that lack this extension stay good peers on either side: Morango's plain operations, as processes of their own.

Morango's own client sleeps for more than three seconds in each direction, so there are few of these.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from course_assignment.facility.models import FULL_FACILITY, Collection, CourseAssignment
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.partitions import is_collection_partition
from tests import school
from tests.conftest import NewDevice, Serve

PROJECT = Path(__file__).parents[2]
PATIENCE = 120
"""Seconds, after which a peer is taken to hang."""


class StockPeer:
    """A device without this extension.

    :param home: its folder
    """

    def __init__(self, home: Path) -> None:
        without = {"DATABASE_URL", "DJANGO_SETTINGS_MODULE"}
        kept = {name: value for name, value in os.environ.items() if name not in without}
        self._environment = {**kept, "COLLECTION_SYNC_HOME": str(home)}

    def sync(self, *arguments: str) -> dict[str, Any]:
        """Sync with a hub.

        :return: what is on the peer then
        """
        done = subprocess.run(
            self._command("sync", *arguments),
            cwd=PROJECT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Answer, at this address."""
        with subprocess.Popen(
            self._command("serve"),
            cwd=PROJECT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                yield json.loads(process.stdout.readline())["url"]
            finally:
                process.communicate(timeout=PATIENCE)

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "tests.stock", *arguments]


@pytest.fixture
def stock_peer(tmp_path: Path) -> StockPeer:
    return StockPeer(tmp_path / "stock")


def test_stock_member_device_syncs_what_is_its_own_and_gets_no_collection(
    new_device: NewDevice, serve: Serve, stock_peer: StockPeer
) -> None:
    hub = new_device("hub")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.new_role(school.new_user(facility, "carol"), classroom)
        school.assign(classroom, "for the class")

    held = stock_peer.sync(serve(hub), "carol", "made without the extension")

    assert held["users"] == ["carol"]
    assert held["collections"] == ["A", "Hillside"]
    assert held["assignments"] == ["made without the extension"]
    assert held["pushed"] == 0
    with hub:
        assert school.held_assignments() == {"for the class"}


def test_stock_hub_and_this_one_sync_the_whole_facility_and_a_member_device_meets_both(
    new_device: NewDevice, serve: Serve, stock_peer: StockPeer
) -> None:
    hub, laptop = new_device("hub"), new_device("laptop")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.new_role(school.new_user(facility, "carol"), classroom)
        school.assign(classroom, "for the class")
    hub_url = serve(hub)
    with laptop:
        joined = school.join(hub_url, "carol")
        joined.sync()

    held = stock_peer.sync(hub_url, "head", "made on the stock hub")

    assert held["assignments"] == ["for the class", "made on the stock hub"]
    assert held["pushed"] == 1
    with hub:
        assert CourseAssignment.objects.filter(title="made on the stock hub").exists()

    with laptop, stock_peer.serving() as stock_url:
        joined.sync()
        school.assign(Collection.objects.get(id=classroom.id), "made on the laptop")
        in_app, in_store = school.held_assignments(), school.stored_assignment_ids()
        with SyncDriver.connect(stock_url) as driver:
            (stock_certificate,) = driver.connection.get_remote_certificates(facility.dataset_id, FULL_FACILITY)
            report = driver.sync(joined.client_certificate(), stock_certificate)

        assert {transfer.push for transfer in report.transfers} == {False, True}
        for transfer in report.transfers:
            assert not any(is_collection_partition(partition) for partition in transfer.partitions)
        assert school.held_assignments() == in_app
        assert school.stored_assignment_ids() >= in_store
        # What could not be pushed there is pushed at the next hub that takes it.
        joined.sync()
    with hub:
        assert CourseAssignment.objects.filter(title="made on the laptop").exists()
