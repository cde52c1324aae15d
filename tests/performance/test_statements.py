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

NOTHING_TO_PULL = {"sqlite": {"hub": 32, "tablet": 130}, "postgresql": {"hub": 29, "tablet": 127}}
NOTHING_AT_ALL = {"sqlite": {"hub": 80, "tablet": 219}, "postgresql": {"hub": 74, "tablet": 213}}
FIRST_PULL = {"sqlite": {"hub": 163, "tablet": 257}, "postgresql": {"hub": 157, "tablet": 261}}
"""Beginnings of transactions are statements on SQLite alone; those of savepoints are on both."""


@pytest.fixture
def statements() -> Statements:
    return Statements()


@pytest.fixture
def new(databases: Databases, network: Network, statements: Statements) -> Iterator[tuple[Device, school.Joined]]:
    """A learner's tablet that has joined, and not synced yet."""
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
        yield tablet, school.join(base_url, "ada")
    for device in (hub, tablet):
        device.database.drop()


@pytest.fixture
def joined(new: tuple[Device, school.Joined]) -> tuple[Device, school.Joined]:
    """The tablet, when it has synced until nothing was left to say."""
    for _ in range(3):
        new[1].sync()
    return new


def test_pull_of_nothing(joined: tuple[Device, school.Joined], statements: Statements, databases: Databases) -> None:
    with statements.taken() as taken:
        joined[1].sync(push=False)
    assert taken == NOTHING_TO_PULL[databases.vendor]


def test_pull_and_push_of_nothing(
    joined: tuple[Device, school.Joined], statements: Statements, databases: Databases
) -> None:
    with statements.taken() as taken:
        joined[1].sync()
    assert taken == NOTHING_AT_ALL[databases.vendor]


def test_first_pull(new: tuple[Device, school.Joined], statements: Statements, databases: Databases) -> None:
    with statements.taken() as taken:
        report = new[1].sync(push=False)
    assert report.records(push=False) == 2 + COLLECTIONS + BELONGING * (1 + COURSES) + 1
    assert taken == FIRST_PULL[databases.vendor]
