"""Records of which the oracle has lost track: it asks less of them, and still lets everybody hear of them."""

from __future__ import annotations

import pytest

from course_assignment.simulation import oracle
from course_assignment.simulation.school import Knobs, School
from morango_collection_sync.simulation.databases import Databases
from tests.simulation_school.histories import CLASS, ONE, edit, sync, tablet, with_coach


def test_a_device_that_synced_before_another_brought_back_what_a_hub_had_deleted_hears_of_it_when_all_settle(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with School(databases, Knobs()) as school:
        hub, first = with_coach(school)
        school.coach(hub, "user2", CLASS)
        later = tablet(school, hub, "user2")
        school.unassign(hub, None, ONE)
        edit(school, later, "user2")
        monkeypatch.setattr(oracle, "MOST_VERSIONS", 0)
        school.settle()
        assert school.happened["lost track of a record"]
        assert school.observe(first).rows[ONE] == school.observe(hub).rows[ONE]
        sync(school, first, hub)
