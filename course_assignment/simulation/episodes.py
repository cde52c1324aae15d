"""Rules of several steps: turns of events that chance alone seldom puts in this order."""

from __future__ import annotations

from typing import NamedTuple

from morango.constants import transfer_stages

from course_assignment.simulation.choices import hub_of, pick, taken_places, users_of
from course_assignment.simulation.rules import rule
from course_assignment.simulation.school import School
from course_assignment.simulation.seats import Seat
from course_assignment.simulation.versions import Assigned, AssignmentKey
from morango_collection_sync.simulation.faults import Faults, Moment, NextKill, PlannedFaults


class Work(NamedTuple):
    """A coach on a tablet, with an assignment there, and the hub that it syncs with."""

    hub: Seat
    seat: Seat
    user: str
    key: AssignmentKey

    def edit(self, school: School) -> None:
        """The coach changes the assignment."""
        school.retitle(self.seat, self.user, self.key, _assigned(school, self.seat, self.key))

    def sync(self, school: School) -> None:
        """Both ways."""
        _sync(school, self.seat, self.hub)

    def end(self, school: School) -> None:
        """The user is coach and member of the collection no more, nor of its class."""
        for label in _with_class(school, self.key.collection):
            if (self.user, label) in school.observe(self.hub).roles():
                school.end_coach(self.hub, self.user, label)
            if (self.user, label) in school.observe(self.hub).memberships():
                school.withdraw(self.hub, self.user, label)

    def begin(self, school: School) -> None:
        """The user is coach of the collection again, if it is there still."""
        if self.key.collection in school.observe(self.hub).collections():
            school.coach(self.hub, self.user, self.key.collection)


@rule(3)
def left_and_returned(school: School, number: int, hub: int) -> bool:
    """Somebody leaves a collection that their device holds, and returns."""
    work = _work(school, number, hub)
    if work is None:
        return False
    work.end(school)
    work.sync(school)
    work.begin(school)
    work.sync(school)
    return True


@rule(3)
def left_and_returned_at_once(school: School, device: int, hub: int) -> bool:
    """A membership is ended and renewed before any device has heard of it."""
    tablet = pick([each for each in school.tablets if each.users and each.must_meet is None], device)
    if tablet is None:
        return False
    at, user = hub_of(school, hub), tablet.users[0]
    seen = school.observe(at)
    label = pick(sorted(label for person, label in seen.memberships() if person == user), device)
    if label is None:
        label = pick([each for each in sorted(seen.collections()) if school.oracle.class_of[each] is None], device)
        if label is None:
            return False
        school.enrol(at, user, label)
    _ensure_assignment(school, at, label)
    _sync(school, tablet, at)
    school.withdraw(at, user, label)
    school.enrol(at, user, label)
    _sync(school, tablet, at)
    return True


@rule(3)
def stale_hub(school: School, device: int, hub: int) -> bool:
    """A device syncs with a hub, where its user has just joined a class, and then with one that may not know."""
    seat = pick([each for each in school.tablets if each.users and each.must_meet is None], device)
    if seat is None or len(school.hubs) < 2:
        return False
    at, user = hub_of(school, hub), seat.users[0]
    seen = school.observe(at)
    classes = [label for label in sorted(seen.collections()) if school.oracle.class_of[label] is None]
    for label in [each for each in classes if (user, each) not in seen.memberships()][:1]:
        school.enrol(at, user, label)
        _ensure_assignment(school, at, label)
    _sync(school, seat, at)
    _sync(school, seat, hub_of(school, hub + 1))
    return True


@rule(2)
def role_ended_unheard(school: School, number: int, hub: int) -> bool:
    """A coach becomes a member, and the device pushes what it has before it hears of that."""
    work = _work(school, number, hub)
    if work is None:
        return False
    for label in reversed(_with_class(school, work.key.collection)):
        if (work.user, label) not in school.observe(work.hub).memberships():
            school.enrol(work.hub, work.user, label)
    work.sync(school)
    if not _may_edit(school, work):
        return True
    work.edit(school)
    for label in _with_class(school, work.key.collection):
        if (work.user, label) in school.observe(work.hub).roles():
            school.end_coach(work.hub, work.user, label)
    _sync(school, work.seat, work.hub, pull=False)
    work.sync(school)
    return True


@rule(2)
def edited_after_another(school: School, number: int, hub: int, author: int) -> bool:
    """Somebody changes on their device what another coach has assigned, whom that device does not know."""
    work = _work(school, number, hub)
    if work is None:
        return False
    label, seen = work.key.collection, school.observe(work.hub)
    other = pick([user for user in users_of(school) if user not in work.seat.users], author)
    course = pick([each for each in school.courses if AssignmentKey(label, each) not in seen.rows], number)
    if other is None or course is None:
        return False
    if (other, label) not in seen.roles():
        school.coach(work.hub, other, label)
    school.assign(work.hub, other, label, course, active=True)
    work.sync(school)
    assigned = work._replace(key=AssignmentKey(label, course))
    if _may_edit(school, assigned):
        assigned.edit(school)
        work.sync(school)
    return True


@rule(2)
def role_lost_with_work(school: School, number: int, hub: int) -> bool:
    """A coach has changed something when the role ends, and gets it back."""
    work = _work(school, number, hub)
    if work is None:
        return False
    work.edit(school)
    work.end(school)
    work.sync(school)
    work.begin(school)
    work.sync(school)
    return True


@rule(2)
def class_deleted_with_work(school: School, number: int, hub: int) -> bool:
    """A coach has changed something when the class is deleted."""
    work = _work(school, number, hub)
    if work is None:
        return False
    # A school without classes is one in which nothing happens.
    school.new_collection(work.hub, None)
    work.edit(school)
    school.delete_collection(work.hub, work.key.collection)
    work.sync(school)
    return True


@rule(2)
def assigned_again_at_once(school: School, number: int) -> bool:
    """An assignment is deleted and made again before any other device has heard of it."""
    chosen = pick(taken_places(school), number)
    if chosen is None:
        return False
    seat, person, key, was = chosen
    school.unassign(seat, person, key)
    school.assign(seat, person, key.collection, key.course, active=was.active)
    return True


@rule(2)
def restored_by_hand(school: School, number: int, hub: int) -> bool:
    """A person puts an edit from quarantine in its place, or tries to."""
    return _decided(school, number, hub, restore=True)


@rule(2)
def discarded_by_hand(school: School, number: int, hub: int) -> bool:
    """A person gives up an edit from quarantine."""
    return _decided(school, number, hub, restore=False)


@rule(2)
def put_back(school: School, device: int, hub: int) -> bool:
    """A device is put back from its backup, from before its last syncs, and goes on."""
    ready = pick([each for each in school.tablets if school.may_put_back(each)], device)
    if ready is not None:
        school.put_back(ready)
        return True
    work = _work(school, device, hub)
    if work is None:
        return False
    school.back_up(work.seat)
    for _ in range(2):
        work.edit(school)
        work.sync(school)
        if not _may_edit(school, work):
            return True
    school.put_back(work.seat)
    work.edit(school)
    work.sync(school)
    return True


@rule(1)
def hub_put_back(school: School, number: int, peer: int) -> bool:
    """A hub is put back from its backup, and meets the one that it has met since.

    Who else it meets first, it could not tell from what it has seen before; nor does it hear again from a device
    whose user may not write (docs/leaving.md).
    """
    hub = hub_of(school, number)
    peers = [seat for seat in school.hubs if seat is not hub]
    peers += [seat for seat in school.tablets if seat.users and seat.must_meet is None]
    other = pick(peers, peer)
    label = pick(sorted(school.observe(hub).collections()), number)
    if other is None or label is None:
        return False
    school.back_up(hub)
    school.rename(hub, label)
    _ensure_assignment(school, hub, label)
    _sync(school, other, hub)
    school.put_back(hub)
    school.rename(hub, label)
    _sync(school, other, hub)
    hub.must_meet = None
    return True


@rule(2, faulty=True)
def role_ended_in_between(school: School, number: int, hub: int, stage: int) -> bool:
    """A coach's device dies in a sync, the coach's role ends on the hub, and the device goes on with the sync."""
    work = _work(school, number, hub)
    if work is None:
        return False
    # One that only pushes has not heard of the role's end when it goes on.
    for pull in (False, True)[: 1 + number % 2]:
        if pull:
            work.begin(school)
            _sync(school, work.seat, work.hub)
        if not _may_edit(school, work):
            break
        work.edit(school)
        stages = (transfer_stages.TRANSFERRING, transfer_stages.DEQUEUING, transfer_stages.QUEUING)
        kill = NextKill(Moment.BEFORE, stage=stages[stage % len(stages)], is_server=False)
        _sync(school, work.seat, work.hub, pull=pull, faults=PlannedFaults(kill=kill))
        work.end(school)
        _sync(school, work.seat, work.hub, pull=pull)
    return True


def _sync(school: School, seat: Seat, hub: Seat, *, pull: bool = True, faults: Faults | None = None) -> None:
    school.sync(seat, hub, pull=pull, faults=faults)
    school.check()


def _decided(school: School, number: int, hub: int, *, restore: bool) -> bool:
    ready = [(seat, edit) for seat in school.tablets for edit in school.observe(seat).quarantine]
    if not ready:
        # One that somebody else has changed meanwhile is not restored by itself.
        work = _work(school, number, hub)
        if work is None:
            return False
        work.edit(school)
        school.retitle(work.hub, None, work.key, _assigned(school, work.hub, work.key))
        work.end(school)
        work.sync(school)
        work.begin(school)
        work.sync(school)
        ready = [(work.seat, edit) for edit in school.observe(work.seat).quarantine]
    chosen = pick(ready, number)
    if chosen is None:
        return True
    school.decide(*chosen, restore=restore)
    return True


def _work(school: School, number: int, hub: int) -> Work | None:
    """A coach with work on a tablet, who may go on with it by what both sides know; made where there is none."""
    for seat, person, key, _ in _in_turn(taken_places(school), number):
        if not seat.is_hub and seat.must_meet is None and person is not None:
            for at in _in_turn(school.hubs, hub):
                work = Work(at, seat, person, key)
                if (person, key.collection) in school.observe(at).roles() and key in school.observe(at).rows:
                    return work
    seat = pick([each for each in school.tablets if each.users and each.must_meet is None], number)
    at = hub_of(school, hub)
    label = pick(sorted(school.observe(at).collections()), number)
    if seat is None or label is None:
        return None
    user = seat.users[number % len(seat.users)]
    if (user, label) not in school.observe(at).roles():
        school.coach(at, user, label)
    key = _ensure_assignment(school, at, label)
    _sync(school, seat, at)
    work = Work(at, seat, user, key)
    return work if _may_edit(school, work) and key in school.observe(at).rows else None


def _may_edit(school: School, work: Work) -> bool:
    collections = school.observe(work.seat).collections()
    return (
        work.key in school.observe(work.seat).rows
        and work.key.collection in collections
        and school.may_write(work.seat, work.user, work.key.collection)
    )


def _ensure_assignment(school: School, hub: Seat, label: str) -> AssignmentKey:
    rows = school.observe(hub).rows
    keys = [AssignmentKey(label, course) for course in school.courses]
    there = [key for key in keys if key in rows]
    if not there:
        school.assign(hub, None, label, keys[0].course, active=True)
    return (there or keys)[0]


def _assigned(school: School, seat: Seat, key: AssignmentKey) -> Assigned:
    value = school.observe(seat).rows[key]
    assert isinstance(value, Assigned)
    return value


def _with_class(school: School, label: str) -> list[str]:
    above = school.oracle.class_of[label]
    return [label] if above is None else [label, above]


def _in_turn(choices: list, number: int) -> list:  # type: ignore[type-arg] # of anything
    start = number % len(choices) if choices else 0
    return choices[start:] + choices[:start]
