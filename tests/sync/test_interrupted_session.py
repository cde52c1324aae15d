"""A session that was interrupted is taken up again, wide filter and all."""

from __future__ import annotations

import pytest
from requests.exceptions import ConnectionError as RequestLost

from course_assignment.facility.models import CourseAssignment
from morango_collection_sync.simulation.faults import PlannedFaults, RequestFault
from morango_collection_sync.simulation.network import Network
from tests import school
from tests.conftest import NewDevice

CREATES_TRANSFER_SESSION = 4
"""The number of this request in a first pull, after those of the handshake."""

CLOSES_TRANSFER_SESSION = 8
"""The last request."""


@pytest.mark.parametrize("number", range(1, CLOSES_TRANSFER_SESSION + 1))
def test_pull_that_was_cut_is_completed_by_the_next_one(new_device: NewDevice, network: Network, number: int) -> None:
    hub, tablet = new_device("hub"), new_device("tablet")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.enrol(school.new_user(facility, "ada"), classroom)
        expected = {school.assign(classroom, f"a{n}").id for n in range(3)}
    with tablet:
        joined = school.join(network.add(hub), "ada")
        network.faults = PlannedFaults({number: RequestFault.CUT})
        with pytest.raises(RequestLost):
            joined.sync(push=False)

        report = joined.sync(push=False)

        assert school.stored_assignment_ids() == expected
        assert school.held_assignments() == {"a0", "a1", "a2"}
        if CREATES_TRANSFER_SESSION < number < CLOSES_TRANSFER_SESSION:
            assert report.resumed
            assert f"{facility.dataset_id}:{classroom.id}" in report.transfers[0].partitions


def test_push_that_was_cut_is_completed_by_the_next_one(new_device: NewDevice, network: Network) -> None:
    hub, laptop = new_device("hub"), new_device("laptop")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.new_role(school.new_user(facility, "carol"), classroom)
    with laptop:
        joined = school.join(network.add(hub), "carol")
        joined.sync()
        school.assign(classroom, "made offline")
        network.faults = PlannedFaults({5: RequestFault.CUT})
        with pytest.raises(RequestLost):
            joined.sync(pull=False)

        assert joined.sync(pull=False).resumed
    with hub:
        assert CourseAssignment.objects.filter(title="made offline").exists()
