"""Short histories in which no promise may be broken."""

from __future__ import annotations

import pytest

from course_assignment.simulation.school import Knobs, School
from morango_collection_sync.simulation.databases import Databases
from tests.simulation_school.histories import HISTORIES


@pytest.mark.parametrize("name", HISTORIES)
def test_no_promise_is_broken_by(name: str, databases: Databases) -> None:
    with School(databases, Knobs()) as school:
        HISTORIES[name](school)
        school.check()
