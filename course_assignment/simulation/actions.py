"""What people do and what happens, as small functions: each takes a school and a few numbers that it chooses by.

A number chooses among what there is when it is used, so that a history from which actions were taken out still runs.
An action that finds nothing to act on does nothing, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from morango.constants import transfer_stages

from course_assignment.simulation.school import School, Seat
from course_assignment.simulation.versions import Assigned, AssignmentKey
from morango_collection_sync.simulation.faults import (
    Faults,
    Moment,
    NextKill,
    PlannedFaults,
    RequestFault,
)

T = TypeVar("T")
F = TypeVar("F", bound=Enum)

Act = Callable[..., bool]


@dataclass(frozen=True)
class Rule:
    """Something that can be done.

    :param name: by which a history calls it
    :param act: does it; False when there was nothing to do it to
    :param numbers: how many numbers it chooses by
    :param weight: how often it is drawn, against the others
    :param faulty: whether it is done only where a history has faults
    """

    name: str
    act: Act
    numbers: int
    weight: int
    faulty: bool = False


class Action(NamedTuple):
    """A rule, and the numbers that it chose by."""

    rule: str
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join([self.rule, *map(str, self.numbers)])


RULES: dict[str, Rule] = {}
"""Every rule by its name."""


def run(school: School, action: Action, *, checking: bool = True) -> bool:
    """Do it, and hold every device against the oracle; whether there was something to do.

    :raises BrokenPromise: when a promise is broken
    """
    done = RULES[action.rule].act(school, *action.numbers)
    if done and checking:
        school.check()
    return done


def rule(weight: int, *, faulty: bool = False) -> Callable[[Act], Act]:
    """Make a function a rule; its parameters behind the school are numbers."""

    def register(act: Act) -> Act:
        name = act.__name__
        RULES[name] = Rule(name, act, act.__code__.co_argcount - 1, weight, faulty)
        return act

    return register


def pick(choices: Sequence[T], number: int) -> T | None:
    """One of these."""
    return choices[number % len(choices)] if choices else None


# The roster, on a hub


@rule(8)
def enrol(school: School, hub: int, user: int, collection: int) -> bool:
    """A learner joins a class, or a group of a class that they are in."""
    seat = _hub(school, hub)
    seen = school.observe(seat)
    members = seen.memberships()
    choices = [
        (person, label)
        for person in sorted(school.names.users.values())
        for label in sorted(seen.collections())
        if (person, label) not in members
        and (school.oracle.class_of[label] is None or (person, school.oracle.class_of[label]) in members)
    ]
    chosen = pick([choice for choice in choices if choice[0] == _user(school, user)] or choices, collection)
    if chosen is None:
        return False
    school.enrol(seat, *chosen)
    return True


@rule(5)
def withdraw(school: School, hub: int, membership: int) -> bool:
    """A learner leaves a class or a group."""
    seat = _hub(school, hub)
    chosen = pick(sorted(school.observe(seat).memberships()), membership)
    if chosen is None:
        return False
    school.withdraw(seat, *chosen)
    return True


@rule(6)
def coach(school: School, hub: int, user: int, collection: int) -> bool:
    """Somebody becomes coach of a class or a group."""
    seat = _hub(school, hub)
    seen = school.observe(seat)
    person = _user(school, user)
    label = pick([each for each in sorted(seen.collections()) if (person, each) not in seen.roles()], collection)
    if label is None:
        return False
    school.coach(seat, person, label)
    return True


@rule(4)
def end_coach(school: School, hub: int, role: int) -> bool:
    """Somebody is no longer coach."""
    seat = _hub(school, hub)
    chosen = pick(sorted(school.observe(seat).roles()), role)
    if chosen is None:
        return False
    school.end_coach(seat, *chosen)
    return True


@rule(2)
def new_class(school: School, hub: int) -> bool:
    """A class is made."""
    seat = _hub(school, hub)
    if len(school.observe(seat).collections()) >= 8:
        return False
    school.new_collection(seat, None)
    return True


@rule(3)
def new_group(school: School, hub: int, classroom: int) -> bool:
    """A group of a class is made."""
    seat = _hub(school, hub)
    collections = school.observe(seat).collections()
    parent = pick([each for each in sorted(collections) if school.oracle.class_of[each] is None], classroom)
    if parent is None or len(collections) >= 8:
        return False
    school.new_collection(seat, parent)
    return True


@rule(1)
def delete_class(school: School, hub: int, classroom: int) -> bool:
    """A class is deleted, with its groups."""
    return _delete(school, hub, classroom, groups=False)


@rule(1)
def delete_group(school: School, hub: int, group: int) -> bool:
    """A group is deleted."""
    return _delete(school, hub, group, groups=True)


@rule(2)
def rename(school: School, hub: int, collection: int) -> bool:
    """A class or a group gets another name."""
    seat = _hub(school, hub)
    label = pick(sorted(school.observe(seat).collections()), collection)
    if label is None:
        return False
    school.rename(seat, label)
    return True


# Assignments, on any device


@rule(9)
def assign(school: School, place: int, course: int) -> bool:
    """A course is assigned."""
    chosen = pick(_free_places(school), place * 7 + course)
    if chosen is None:
        return False
    seat, person, key = chosen
    school.assign(seat, person, key.collection, key.course, active=course % 2 == 0)
    return True


@rule(4)
def activate(school: School, number: int) -> bool:
    """An assignment is shown to the learners, or hidden from them."""
    return _change(school, number, lambda seat, person, key, was: school.toggle(seat, person, key, was))


@rule(6)
def retitle(school: School, number: int) -> bool:
    """What an assignment is shown as is changed."""
    return _change(school, number, lambda seat, person, key, was: school.retitle(seat, person, key, was))


@rule(4)
def unassign(school: School, number: int) -> bool:
    """An assignment is deleted."""
    return _change(school, number, lambda seat, person, key, was: school.unassign(seat, person, key))


@rule(3)
def assign_again(school: School, number: int) -> bool:
    """A course is assigned where it was unassigned before."""
    chosen = pick(
        [place for place in _free_places(school) if place[2] in school.oracle.replica(place[0].name).records], number
    )
    if chosen is None:
        return False
    seat, person, key = chosen
    school.assign(seat, person, key.collection, key.course, active=True)
    return True


@rule(3)
def assign_twice(school: School, number: int) -> bool:
    """The same course is assigned to the same collection on two devices apart."""
    places = _free_places(school)
    pairs = [(one, other) for one, other in _pairs(places) if one[2] == other[2]]
    chosen = pick(pairs, number)
    if chosen is None:
        return False
    for seat, person, key in chosen:
        school.assign(seat, person, key.collection, key.course, active=True)
    return True


@rule(3)
def edit_twice(school: School, number: int) -> bool:
    """One assignment is changed on two devices apart."""
    return _change_both(school, number, delete=False)


@rule(3)
def delete_and_edit(school: School, number: int) -> bool:
    """An assignment is deleted on one device, and changed on another."""
    return _change_both(school, number, delete=True)


@rule(1)
def try_without_right(school: School, number: int) -> bool:
    """Somebody tries to write where they may not, by what their device knows."""
    choices = []
    for seat in school.tablets:
        collections = sorted(school.observe(seat).collections())
        people = [person for person in seat.users if person in school.oracle.replica(seat.name).arrived]
        choices += [
            (seat, person, label)
            for person in people
            for label in collections
            if not school.may_write(seat, person, label)
        ]
    chosen = pick(choices, number)
    if chosen is None:
        return False
    school.refuses(*chosen)
    return True


# Devices


@rule(3)
def new_device(school: School, hub: int, user: int) -> bool:
    """Somebody takes a new device, and syncs it."""
    if len(school.tablets) >= school.knobs.devices:
        return False
    seat, at = school.new_tablet(), _hub(school, hub)
    school.join(seat, at, _user(school, user))
    school.sync(seat, at)
    return True


@rule(2)
def add_user(school: School, device: int, hub: int, user: int) -> bool:
    """A device is used by one more person."""
    seat, person = pick(school.tablets, device), _user(school, user)
    if seat is None or person in seat.users or len(seat.users) >= 3 or seat.must_meet is not None:
        return False
    school.join(seat, _hub(school, hub), person)
    return True


@rule(2)
def remove_user(school: School, device: int, user: int) -> bool:
    """A person is removed from a device."""
    seat = pick([each for each in school.tablets if len(each.users) > 1], device)
    if seat is None or seat.must_meet is not None:
        return False
    school.leave(seat, seat.users[user % len(seat.users)])
    return True


@rule(2)
def back_up(school: School, device: int) -> bool:
    """A device's database is copied."""
    seat = pick(school.all_seats, device)
    if seat is None or seat.is_stock or seat.must_meet is not None:
        return False
    school.back_up(seat)
    return True


@rule(2)
def put_back(school: School, device: int) -> bool:
    """A device is put back from its backup, and syncs with the hub that it has met since."""
    seat = pick([each for each in school.tablets if school.may_put_back(each)], device)
    if seat is None:
        return False
    school.put_back(seat)
    return True


# Syncs


@rule(14)
def sync(school: School, device: int, hub: int) -> bool:
    """A device syncs: pull, then push, for each of its users."""
    return _sync(school, device, hub)


@rule(4)
def pull(school: School, device: int, hub: int) -> bool:
    """A device only pulls."""
    return _sync(school, device, hub, push=False)


@rule(3)
def push(school: School, device: int, hub: int) -> bool:
    """A device only pushes."""
    return _sync(school, device, hub, pull=False)


@rule(10, faulty=True)
def faulty_sync(school: School, device: int, hub: int) -> bool:
    """A device syncs, and things go wrong."""
    return _sync(school, device, hub, faults=school.random_faults())


@rule(8, faulty=True)
def killed_sync(school: School, device: int, hub: int, operation: int, moment: int) -> bool:
    """A device syncs, and its process or the hub's is killed at an operation of a stage."""
    kill = NextKill(_rarest(school, Moment, moment), operation % 200, moment % 3)
    return _sync(school, device, hub, faults=PlannedFaults(kill=kill))


@rule(4, faulty=True)
def broken_sync(school: School, device: int, hub: int, kind: int, request: int) -> bool:
    """A device syncs, and one thing goes wrong, at a request."""
    fault = _rarest(school, RequestFault, kind)
    return _sync(school, device, hub, faults=PlannedFaults({1 + request % 20: fault}))


@rule(3)
def hubs_sync(school: School, one: int, other: int) -> bool:
    """Two hubs sync with each other."""
    return _hubs_sync(school, one, other, faulty=False)


@rule(3, faulty=True)
def hubs_faulty_sync(school: School, one: int, other: int) -> bool:
    """Two hubs sync with each other, and things go wrong."""
    return _hubs_sync(school, one, other, faulty=True)


@rule(4)
def stale_hub(school: School, device: int, hub: int) -> bool:
    """A device syncs with one hub, and then with another that may know less."""
    seat = pick([each for each in school.tablets if each.users], device)
    if seat is None or len(school.hubs) < 2 or seat.must_meet is not None:
        return False
    school.sync(seat, _hub(school, hub))
    school.sync(seat, _hub(school, hub + 1))
    return True


@rule(1)
def stock_peer(school: School, hub: int, user: int) -> bool:
    """A device without this extension syncs with a hub."""
    seat, at = school.stock_tablet(), _hub(school, hub)
    person = _user(school, user)
    if not seat.users:
        school.join(seat, at, person)
    school.sync(seat, at)
    return True


@rule(1)
def everybody(school: School) -> bool:
    """All sync with all until nothing is new, and then agree."""
    school.settle()
    return True


@rule(1, faulty=True)
def ended_in_between(school: School, number: int, stage: int) -> bool:
    """A coach's device dies in a sync, the coach's role ends on the hub, and the device goes on with the sync."""
    choices = []
    for hub in school.hubs:
        roles = school.observe(hub).roles()
        choices += [
            (hub, seat, person, key, was)
            for seat, person, key, was in _taken_places(school)
            if not seat.is_hub and seat.must_meet is None and (person, key.collection) in roles
        ]
    chosen = pick(choices, number)
    if chosen is None:
        return False
    hub, seat, person, key, was = chosen
    school.retitle(seat, person, key, was)
    # One that only pushes has not heard of the role's end when it goes on.
    pull = bool(number % 2)
    stages = (transfer_stages.QUEUING, transfer_stages.TRANSFERRING, transfer_stages.DEQUEUING)
    kill = NextKill(Moment.BEFORE, stage=stages[stage % len(stages)], is_server=False)
    school.sync(seat, hub, pull=pull, faults=PlannedFaults(kill=kill))
    if (person, key.collection) in school.observe(hub).roles():
        school.end_coach(hub, str(person), key.collection)
    school.sync(seat, hub, pull=pull)
    return True


@rule(1)
def rogue(school: School, hub: int, role: int, collection: int) -> bool:
    """A coach's device says of a record that it is of the coach's collection, and it is of another."""
    seat = _hub(school, hub)
    seen = school.observe(seat)
    chosen = pick(sorted(each for each in seen.roles() if each[1] in seen.collections()), role)
    if chosen is None:
        return False
    victim = pick([each for each in sorted(seen.collections()) if each != chosen[1]], collection)
    if victim is None:
        return False
    school.rogue(seat, *chosen, victim)
    return True


def _rarest(school: School, kinds: type[F], number: int) -> F:
    """One of those that have happened least here so far."""
    least = min(school.happened[kind] for kind in kinds)
    rare = [kind for kind in kinds if school.happened[kind] == least]
    return rare[number % len(rare)]


def _hub(school: School, number: int) -> Seat:
    return school.hubs[number % len(school.hubs)]


def _user(school: School, number: int) -> str:
    users = sorted(school.names.users.values())
    return users[number % len(users)]


def _delete(school: School, hub: int, number: int, *, groups: bool) -> bool:
    seat = _hub(school, hub)
    collections = sorted(school.observe(seat).collections())
    label = pick([each for each in collections if (school.oracle.class_of[each] is not None) is groups], number)
    if label is None:
        return False
    school.delete_collection(seat, label)
    return True


Place = tuple[Seat, "str | None", AssignmentKey]


def _writers(school: School) -> list[tuple[Seat, str | None, str]]:
    """Who may write where, on each device; nobody in particular on a hub."""
    found: list[tuple[Seat, str | None, str]] = []
    for seat in school.hubs:
        found += [(seat, None, label) for label in sorted(school.observe(seat).collections())]
    for seat in school.tablets:
        seen = school.observe(seat)
        for person in seat.users:
            rights = school.oracle.rights(seat.name, [person], seen)
            # Three times: what is written on a tablet is what may get lost.
            found += 3 * [(seat, person, label) for label in sorted(rights.writable)]
    return found


def _free_places(school: School) -> list[Place]:
    seen = {seat.name: school.observe(seat).rows for seat in school.all_seats}
    return [
        (seat, person, AssignmentKey(label, course))
        for seat, person, label in _writers(school)
        for course in school.courses
        if AssignmentKey(label, course) not in seen[seat.name]
    ]


def _taken_places(school: School) -> list[tuple[Seat, str | None, AssignmentKey, Assigned]]:
    seen = {seat.name: school.observe(seat).rows for seat in school.all_seats}
    return [
        (seat, person, key, value)
        for seat, person, label in _writers(school)
        for key, value in sorted(seen[seat.name].items())
        if isinstance(key, AssignmentKey) and key.collection == label
    ]


def _pairs(places: Sequence[Any]) -> list[tuple[Any, Any]]:
    return [
        (one, other)
        for number, one in enumerate(places)
        for other in places[number + 1 :]
        if one[0] is not other[0] and one[2] == other[2]
    ]


def _change(school: School, number: int, change: Callable[[Seat, str | None, AssignmentKey, Assigned], None]) -> bool:
    chosen = pick(_taken_places(school), number)
    if chosen is None:
        return False
    change(*chosen)
    return True


def _change_both(school: School, number: int, *, delete: bool) -> bool:
    chosen = pick(_pairs(_taken_places(school)), number)
    if chosen is None:
        return False
    (seat, person, key, was), other = chosen if number % 2 else chosen[::-1]
    if delete:
        school.unassign(seat, person, key)
    else:
        school.retitle(seat, person, key, was)
    school.retitle(*other)
    return True


def _sync(
    school: School, device: int, hub: int, *, pull: bool = True, push: bool = True, faults: Faults | None = None
) -> bool:
    seat = pick([each for each in school.tablets if each.users], device)
    if seat is None:
        return False
    if seat.must_meet is not None:
        # A device that was put back is told so by the hub that has seen most of it, in a pull.
        at = next(each for each in school.hubs if each.name == seat.must_meet)
        pull = push = True
    else:
        at = _hub(school, hub)
    school.sync(seat, at, pull=pull, push=push, faults=faults)
    return True


def _hubs_sync(school: School, one: int, other: int, *, faulty: bool) -> bool:
    client, server = _hub(school, one), _hub(school, other)
    if client is server:
        server = _hub(school, other + 1)
    if client is server:
        return False
    school.sync(client, server, faults=school.random_faults() if faulty else None)
    return True
