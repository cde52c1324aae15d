"""The end of a pull, interrupted: it is done or not done, and the next sync does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from course_assignment.facility.device import own_certificates
from course_assignment.facility.leaving import leave
from course_assignment.facility.models import PROFILE, SINGLE_USER, CourseAssignment, Membership
from morango_collection_sync.models import QuarantinedEdit
from morango_collection_sync.release import prepare_release, release_prepared
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.errors import ProcessKilled
from morango_collection_sync.simulation.faults import Kill, Moment, OperationRun, PlannedFaults
from morango_collection_sync.simulation.kills import killable_operations
from tests import school
from tests.release.town import Stopped, Town, counted, everything, findings, held, quarantined, stored_content, titles
from tests.school import Joined

FINISH = OperationRun("cleanup", "FinishPull", is_server=False)
BEHIND = OperationRun("cleanup", "CleanupOperation", is_server=False)


@contextmanager
def _killed_at(tablet: Device, kill: Kill) -> Iterator[None]:
    """Be the tablet, until its process is killed at the end of a pull."""
    faults = PlannedFaults(kill=kill)
    with killable_operations(faults.for_operation, lambda device, done: faults.happened.update([done.moment])):
        with pytest.raises(ProcessKilled), tablet:
            yield
        assert faults.happened


def _edit() -> None:
    assignment = CourseAssignment.objects.get(title="a0")
    assignment.title = "a0 by ada"
    assignment.save()


PLACES = [
    Kill(FINISH, Moment.BEFORE),
    *(Kill(FINISH, Moment.WITHIN, writes) for writes in range(0, 16, 3)),
    Kill(BEHIND, Moment.BEFORE),
]


def _name(kill: Kill) -> str:
    return f"{kill.moment.value} {kill.run.operation} {kill.writes}"


@pytest.mark.parametrize("kill", PLACES, ids=_name)
def test_a_release_that_was_cut_off_is_whole_after_the_next_sync(
    town: Town, tablet: Device, joined: Joined, kill: Kill
) -> None:
    town.make_coach(town.ada, town.class_a)
    joined.sync()
    _edit()
    town.end_coach(town.ada, town.class_a)
    town.withdraw(town.ada, town.class_a)
    with _killed_at(tablet, kill):
        joined.sync()
    with tablet:
        partition = town.partition(town.class_a)
        assert bool(held(partition)) is not bool(quarantined()), "the edit is here or there"

        joined.sync()

        assert not held(partition)
        assert QuarantinedEdit.objects.count() == 1
        assert not findings(town.dataset_id)


@pytest.mark.parametrize("kill", PLACES[3:], ids=_name)
def test_what_was_to_be_fetched_again_is_there_after_the_next_sync(
    town: Town, tablet: Device, joined: Joined, kill: Kill
) -> None:
    town.make_coach(town.ada, town.class_a)
    joined.sync()
    _edit()
    town.end_coach(town.ada, town.class_a)
    with _killed_at(tablet, kill):
        joined.sync()

    with tablet:
        joined.sync()

        assert titles(town.class_a) == {"a0", "a1", "a2"}
        assert QuarantinedEdit.objects.count() == 1
        mine = stored_content(town.partition(town.class_a))
    with town.hub:
        assert mine == stored_content(town.partition(town.class_a))


def test_what_is_edited_while_its_collection_is_about_to_go_is_not_lost(town: Town, joined: Joined) -> None:
    Membership.objects.all()._raw_delete("default")
    prepare_release(PROFILE, town.dataset_id)
    _edit()
    assert release_prepared(PROFILE, town.dataset_id).partitions == {}
    prepare_release(PROFILE, town.dataset_id)
    assert release_prepared(PROFILE, town.dataset_id).quarantined == 1
    assert not held(town.partition(town.class_a))


def test_leaving_a_device_is_whole_or_nothing(town: Town, joined: Joined) -> None:
    school.assign(town.class_a, "mine")
    prepare_release(PROFILE, town.dataset_id)
    before = everything()
    number = 0
    while True:
        try:
            with counted(stop_before=number):
                leave("ada")
            break
        except Stopped:
            assert everything() == before, f"ended before statement {number}"
        number += 1
        assert number < 500
    assert not held(town.partition(town.class_a))
    assert len(quarantined()) == 1
    assert not own_certificates(SINGLE_USER)
