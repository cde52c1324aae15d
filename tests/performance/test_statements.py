"""How many statements a sync takes, counted on either side. Whoever adds one finds it here, and says what it is for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.network import Network
from tests import school
from tests.performance.statements import Statements

COLLECTIONS, BELONGING, COURSES = 8, 5, 4

NOTHING_TO_PULL = {"sqlite": {"hub": 59, "tablet": 130}, "postgresql": {"hub": 55, "tablet": 127}}
"""Beginnings of transactions are statements on SQLite alone; those of savepoints are on both."""


@pytest.fixture
def statements() -> Statements:
    return Statements()


@pytest.fixture
def joined(databases: Databases, network: Network, statements: Statements) -> Iterator[tuple[Device, school.Joined]]:
    """A learner's tablet, which has synced until nothing was left to say."""
    hub, tablet = (Device(name, databases.new(), while_active=(statements.of(name),)) for name in ("hub", "tablet"))
    with hub:
        facility = school.new_facility()
        learner = school.new_user(facility, "ada")
        for number in range(COLLECTIONS):
            classroom = school.new_classroom(facility, f"class {number}")
            if number < BELONGING:
                school.enrol(learner, classroom)
                for course in range(COURSES):
                    school.assign(classroom, f"course {course}")
    base_url = network.add(hub)
    with tablet:
        joined = school.join(base_url, "ada")
        for _ in range(3):
            joined.sync()
    yield tablet, joined
    for device in (hub, tablet):
        device.database.drop()


def test_pull_of_nothing(joined: tuple[Device, school.Joined], statements: Statements, databases: Databases) -> None:
    tablet, hub = joined
    with tablet, statements.taken() as taken:
        hub.sync(push=False)
    assert taken == NOTHING_TO_PULL[databases.vendor]
