"""A hub that counts, and a coach's laptop that has synced with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import pytest

from course_assignment.facility.models import Collection
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.server import DeviceServer
from tests import school
from tests.conftest import NewDevice
from tests.performance.counting import Counting
from tests.stock.in_process import stock_morango

COLLECTIONS = 5
ASSIGNMENTS = 4
"""In each."""


class Pair(NamedTuple):
    """A hub, and the laptop of a coach of five classes, which has synced once."""

    hub: Device
    laptop: Device
    joined: school.Joined
    counted: Counting

    def assign(self, records: int) -> None:
        """Assign courses to one class, on the device that this process is."""
        classroom = Collection.objects.filter(kind="classroom").order_by("name").first()
        for n in range(records):
            school.assign(classroom, f"{n} more")

    def driver(self) -> SyncDriver:
        """A connection of the laptop to the hub."""
        return SyncDriver.connect(self.joined.base_url)


@pytest.fixture
def new_pair(new_device: NewDevice) -> Iterator[Callable[..., Pair]]:
    """Makes a hub, stock Morango or ours, and a laptop."""
    with ExitStack() as servers:

        def make(*, stock: bool = False) -> Pair:
            hub, laptop = new_device("hub"), new_device("laptop")
            if stock:
                hub.while_active = (partial(stock_morango, widens=True),)
            with hub:
                facility = school.new_facility()
                carol = school.new_user(facility, "carol")
                for n in range(COLLECTIONS):
                    classroom = school.new_classroom(facility, f"class {n}")
                    school.new_role(carol, classroom)
                    for course in range(ASSIGNMENTS):
                        school.assign(classroom, f"course {course}")
            counted = Counting()
            base_url = servers.enter_context(DeviceServer(hub, counted)).base_url
            with laptop:
                joined = school.join(base_url, "carol")
                joined.sync()
                # What the first sync has brought is serialized and counted in the second.
                joined.sync()
            counted.taken()
            return Pair(hub, laptop, joined, counted)

        yield make


@pytest.fixture
def pair(new_pair: Callable[..., Pair]) -> Pair:
    """A hub of ours and a laptop."""
    return new_pair()
