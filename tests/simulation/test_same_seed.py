"""The same seed gives the same history, faults and kills included."""

from __future__ import annotations

import random

from morango.errors import MorangoError
from requests.exceptions import RequestException

from morango_collection_sync.errors import CollectionSyncError
from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.errors import ProcessKilled
from morango_collection_sync.simulation.faults import RandomFaults
from morango_collection_sync.simulation.network import Network
from morango_collection_sync.simulation.trace import Trace
from tests import school

SYNCS = 2


def history(databases: Databases, seed: int) -> Trace:
    """What happens when a coach's and a learner's device sync in turns, at a fault in every fifth request."""
    hub, laptop, tablet = (Device(name, databases.new()) for name in ("hub", "laptop", "tablet"))
    with Network() as network:
        base_url = network.add(hub)
        with hub:
            facility = school.new_facility()
            classroom = school.new_classroom(facility, "A")
            school.new_role(school.new_user(facility, "carol"), classroom)
            school.enrol(school.new_user(facility, "ada"), classroom)
        with laptop:
            carol = school.join(base_url, "carol")
        with tablet:
            ada = school.join(base_url, "ada")

        network.faults = RandomFaults(random.Random(seed), rate=0.2)
        for number in range(SYNCS):
            with hub:
                school.assign(classroom, f"assignment {number}")
            for device, joined in ((laptop, carol), (tablet, ada)):
                sync_if_possible(device, joined)
        network.deliver_late()
    return network.trace


def sync_if_possible(device: Device, joined: school.Joined) -> None:
    try:
        with device:
            joined.sync()
    except (ProcessKilled, CollectionSyncError, MorangoError, RequestException):
        # What went wrong is in the trace.
        pass


def test_same_seed_gives_the_same_history_and_another_seed_another_one(databases: Databases) -> None:
    one, again, other = (history(databases, seed) for seed in (1, 1, 2))
    assert str(again) == str(one)
    assert again == one
    assert other != one
