"""Short histories, each of one thing that happens in schools; every promise is checked after every sync."""

from __future__ import annotations

import json
from collections.abc import Callable

from morango.constants import transfer_stages

from course_assignment.simulation.school import School, Seat
from course_assignment.simulation.versions import Assigned, AssignmentKey
from morango_collection_sync.models import QuarantinedEdit
from morango_collection_sync.simulation.faults import Moment, NextKill, PlannedFaults, RequestFault

CLASS = "class-1"
ONE, TWO = AssignmentKey(CLASS, "course-1"), AssignmentKey(CLASS, "course-2")

History = Callable[[School], None]
HISTORIES: dict[str, History] = {}


def history(act: History) -> History:
    HISTORIES[act.__name__] = act
    return act


def sync(school: School, seat: Seat, hub: Seat, *, pull: bool = True, push: bool = True) -> None:
    school.sync(seat, hub, pull=pull, push=push)
    school.check()


def tablet(school: School, hub: Seat, *users: str) -> Seat:
    seat = school.new_tablet()
    for user in users:
        school.join(seat, hub, user)
    sync(school, seat, hub)
    return seat


def shown(school: School, seat: Seat, key: AssignmentKey) -> Assigned:
    value = school.observe(seat).rows[key]
    assert isinstance(value, Assigned)
    return value


def edit(school: School, seat: Seat, user: str | None = "user1", key: AssignmentKey = ONE) -> None:
    school.retitle(seat, user, key, shown(school, seat, key))


def with_coach(school: School, *others: str) -> tuple[Seat, Seat]:
    """A hub with an assignment in the class that ``user1`` is coach of, and the coach's tablet."""
    hub = school.hubs[0]
    school.coach(hub, "user1", CLASS)
    school.assign(hub, None, CLASS, "course-1", active=True)
    return hub, tablet(school, hub, "user1", *others)


@history
def one_of_two_users_leaves(school: School) -> None:
    hub = school.hubs[0]
    school.assign(hub, None, CLASS, "course-1", active=True)
    for user in ("user1", "user2"):
        school.enrol(hub, user, CLASS)
    seat = tablet(school, hub, "user1", "user2")
    for user in ("user1", "user2"):
        school.withdraw(hub, user, CLASS)
        sync(school, seat, hub)
        school.enrol(hub, user, CLASS)
        sync(school, seat, hub)


@history
def author_who_is_not_here(school: School) -> None:
    hub = school.hubs[0]
    school.coach(hub, "user1", CLASS)
    school.coach(hub, "user2", CLASS)
    school.assign(hub, "user2", CLASS, "course-1", active=True)
    seat = tablet(school, hub, "user1")
    edit(school, seat)
    sync(school, seat, hub)


@history
def role_ends_while_a_push_is_interrupted(school: School) -> None:
    hub, seat = with_coach(school)
    for request in range(6, 12):
        edit(school, seat)
        school.sync(seat, hub, pull=False, faults=PlannedFaults({request: RequestFault.CUT}))
        school.end_coach(hub, "user1", CLASS)
        sync(school, seat, hub, pull=False)
        sync(school, seat, hub)
        school.coach(hub, "user1", CLASS)
        sync(school, seat, hub)


@history
def role_ends_after_a_push_that_was_resumed(school: School) -> None:
    """Nobody can tell from outside whether a resumed push carried an edit made since; the device can."""
    hub = school.hubs[0]
    school.coach(hub, "user1", CLASS)
    seat = tablet(school, hub, "user1")
    for course, request in (("course-1", 4), ("course-2", 6), ("course-3", 8)):
        school.sync(seat, hub, faults=PlannedFaults({request: RequestFault.CUT}))
        school.assign(hub, None, CLASS, course, active=True)
        school.assign(seat, "user1", CLASS, course, active=True)
        sync(school, seat, hub, pull=False)
        school.end_coach(hub, "user1", CLASS)
        sync(school, seat, hub)
        school.coach(hub, "user1", CLASS)
        sync(school, seat, hub)


@history
def group_made_in_a_class_that_another_hub_has_deleted(school: School) -> None:
    """The group cannot be applied there, and nor can what is assigned to it; all else is."""
    hub, other = school.hubs
    second = school.new_collection(hub, None)
    sync(school, other, hub)
    group = school.new_collection(hub, CLASS)
    school.assign(hub, None, group, "course-1", active=True)
    school.assign(hub, None, second, "course-2", active=True)
    school.delete_collection(other, CLASS)
    sync(school, other, hub)
    sync(school, other, hub)


@history
def pull_is_resumed_when_the_hub_has_another_version_by_then(school: School) -> None:
    """It brings what the hub had queued; the next one brings the other version."""
    hub, seat = with_coach(school)
    for request in (4, 5, 6, 7):
        edit(school, hub, None)
        school.sync(seat, hub, push=False, faults=PlannedFaults({request: RequestFault.CUT}))
        edit(school, hub, None)
        sync(school, seat, hub)
        sync(school, seat, hub)


@history
def class_renamed_on_two_hubs(school: School) -> None:
    hub, other = school.hubs
    seat = tablet(school, hub, "user1")
    school.rename(hub, CLASS)
    school.rename(other, CLASS)
    sync(school, seat, hub)
    sync(school, seat, other)
    sync(school, other, hub)
    school.rename(hub, CLASS)
    sync(school, seat, hub)
    school.settle()


@history
def membership_ended_on_one_hub_and_renewed_on_another(school: School) -> None:
    hub, other = school.hubs
    school.enrol(hub, "user1", CLASS)
    school.assign(hub, None, CLASS, "course-1", active=True)
    sync(school, other, hub)
    seat = tablet(school, hub, "user1")
    school.withdraw(hub, "user1", CLASS)
    school.withdraw(other, "user1", CLASS)
    school.enrol(other, "user1", CLASS)
    sync(school, seat, hub)
    sync(school, seat, other)
    school.settle()


@history
def class_deleted_on_one_hub_and_renamed_on_another(school: School) -> None:
    hub, seat = with_coach(school, "user2")
    other = school.hubs[1]
    sync(school, other, hub)
    school.rename(other, CLASS)
    school.delete_collection(hub, CLASS)
    sync(school, seat, other)
    sync(school, other, hub)
    sync(school, seat, other)
    school.settle()


@history
def one_course_assigned_on_two_devices(school: School) -> None:
    hub = school.hubs[0]
    for user in ("user1", "user2"):
        school.coach(hub, user, CLASS)
    one, other = tablet(school, hub, "user1"), tablet(school, hub, "user2")
    for seat, user in ((one, "user1"), (other, "user2")):
        school.assign(seat, user, CLASS, "course-1", active=True)
        sync(school, seat, hub)
    school.settle()
    school.unassign(one, "user1", ONE)
    edit(school, other, "user2")
    school.settle()


@history
def device_dies_where_a_version_replaces_another(school: School) -> None:
    hub, other = school.hubs
    for each in (hub, other):
        school.enrol(each, "user1", CLASS)
        school.assign(each, None, CLASS, "course-1", active=True)
    seat = tablet(school, hub, "user1")
    stamp = school.observe(seat).stamps[ONE]
    kill = NextKill(Moment.WITHIN, writes=1, stage=transfer_stages.DEQUEUING, is_server=False)
    school.sync(seat, other, push=False, faults=PlannedFaults(kill=kill))
    assert school.happened[Moment.WITHIN] == 1
    assert school.observe(seat).stamps[ONE] == stamp
    school.check()
    sync(school, seat, other)
    school.settle()


@history
def edit_restored_where_another_hub_has_deleted_the_same_course(school: School) -> None:
    """It comes back in the pull, and the push of the same sync carries it."""
    hub, seat = with_coach(school)
    other = school.hubs[1]
    school.enrol(hub, "user1", CLASS)
    sync(school, seat, hub)
    edit(school, seat)
    school.end_coach(hub, "user1", CLASS)
    sync(school, seat, hub)
    school.assign(other, None, CLASS, "course-1", active=True)
    school.unassign(other, None, ONE)
    school.coach(other, "user1", CLASS)
    sync(school, seat, other)
    assert ONE in school.observe(other).rows
    school.settle()


@history
def version_taken_from_one_hub_is_pushed_to_another_that_has_edited_too(school: School) -> None:
    """Where the role has ended the tablet takes what the one hub has; the other one, where it has not, merges that."""
    hub, seat = with_coach(school)
    other = school.hubs[1]
    sync(school, other, hub)
    school.enrol(other, "user1", CLASS)
    school.end_coach(other, "user1", CLASS)
    sync(school, seat, other)
    edit(school, hub, None)
    edit(school, other, None)
    sync(school, seat, hub)
    sync(school, seat, other)
    sync(school, seat, hub)
    school.settle()


@history
def push_is_resumed_when_the_device_has_made_again_what_it_had_deleted(school: School) -> None:
    """It carries the deletion that it had queued; the next one carries the new assignment."""
    hub, seat = with_coach(school)
    for request in (5, 6, 7, 8):
        school.unassign(seat, "user1", ONE)
        school.sync(seat, hub, pull=False, faults=PlannedFaults({request: RequestFault.CUT}))
        school.assign(seat, "user1", CLASS, "course-1", active=True)
        sync(school, seat, hub)
        sync(school, seat, hub)
    school.settle()


@history
def version_of_one_hub_is_pushed_to_another_that_has_forgotten_its_own(school: School) -> None:
    """Made and deleted between two syncs, an assignment has never been there; the pushed one is all there is."""
    hub, other = school.hubs
    for each in (hub, other):
        school.assign(each, None, CLASS, "course-1", active=True)
    school.enrol(hub, "user1", CLASS)
    seat = tablet(school, hub, "user1")
    school.unassign(other, None, ONE)
    school.coach(other, "user1", CLASS)
    sync(school, seat, other)
    assert ONE in school.observe(other).rows
    school.settle()


@history
def class_with_a_member_deleted_on_one_hub_and_renamed_on_another(school: School) -> None:
    """The class comes back to the member's tablet; the row of the membership need not."""
    hub, other = school.hubs
    school.enrol(other, "user1", CLASS)
    seat = tablet(school, other, "user1")
    school.rename(other, CLASS)
    school.delete_collection(hub, CLASS)
    sync(school, seat, hub)
    sync(school, seat, other)
    school.settle()


@history
def role_in_a_group_whose_class_another_hub_has_deleted(school: School) -> None:
    """The group's row went with the class; what refers to it is no reason for a sync to fail."""
    hub, other = school.hubs
    group = school.new_collection(hub, CLASS)
    seat = tablet(school, hub, "user1")
    school.delete_collection(other, CLASS)
    sync(school, seat, other)
    school.coach(hub, "user1", group)
    school.assign(hub, None, group, "course-1", active=True)
    sync(school, seat, hub)
    sync(school, seat, hub)
    school.settle()


@history
def role_ends_on_a_hub_that_has_not_heard_of_the_membership(school: School) -> None:
    """It has nothing to bring in place of the edit, nor of the other records: all stay until a hub has."""
    hub, other = school.hubs
    school.coach(hub, "user1", CLASS)
    school.assign(hub, None, CLASS, "course-1", active=True)
    school.assign(hub, None, CLASS, "course-2", active=True)
    seat = tablet(school, hub, "user1")
    school.enrol(other, "user1", CLASS)
    edit(school, seat)
    sync(school, seat, other, push=False)
    school.end_coach(hub, "user1", CLASS)
    sync(school, seat, hub)
    assert {ONE, TWO} <= {*school.observe(seat).rows}
    assert not school.observe(seat).quarantine
    school.settle()
    assert [kept.key for kept in school.observe(seat).quarantine] == [ONE]


@history
def hub_put_back_that_has_not_heard_what_another_has_of_it(school: School) -> None:
    """What it saves again stands beside what the other one has made of it."""
    hub, other = school.hubs
    school.enrol(hub, "user1", CLASS)
    sync(school, other, hub, push=False)
    seat = tablet(school, other, "user1")
    school.withdraw(other, "user1", CLASS)
    sync(school, seat, other)
    school.back_up(hub)
    school.rename(hub, CLASS)
    sync(school, seat, hub)
    school.put_back(hub)
    school.rename(hub, CLASS)
    sync(school, seat, hub)
    hub.must_meet = None
    school.settle()


@history
def version_taken_by_a_member_who_is_a_coach_to_the_hub_it_is_of(school: School) -> None:
    """The device tells that hub of the version that it had before, too; to the other hub the two are apart."""
    hub, other = school.hubs
    school.enrol(hub, "user1", CLASS)
    school.coach(other, "user1", CLASS)
    for each in (hub, other):
        school.assign(each, None, CLASS, "course-1", active=True)
    # A device tells of those that saved a record of a collection last.
    school.assign(hub, None, CLASS, "course-2", active=True)
    seat = tablet(school, hub, "user1")
    sync(school, seat, other)
    school.settle()


@history
def coach_with_work_leaves_a_device_on_which_a_member_stays(school: School) -> None:
    """The edit is the coach's, whoever is there when it is set aside."""
    hub = school.hubs[0]
    school.coach(hub, "user1", CLASS)
    school.enrol(hub, "user2", CLASS)
    school.assign(hub, None, CLASS, "course-1", active=True)
    seat = tablet(school, hub, "user1", "user2")
    edit(school, seat)
    school.leave(seat, "user1")
    sync(school, seat, hub)
    with seat.device:
        (kept,) = QuarantinedEdit.objects.all()
        assert json.loads(kept.user_ids) == [school.names.user_id("user1")]
