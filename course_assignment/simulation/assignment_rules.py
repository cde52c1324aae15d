"""What is done to assignments, on any device."""

from __future__ import annotations

from collections.abc import Callable

from course_assignment.simulation.choices import free_places, pairs, pick, taken_places
from course_assignment.simulation.rules import rule
from course_assignment.simulation.school import School
from course_assignment.simulation.seats import Seat
from course_assignment.simulation.versions import Assigned, AssignmentKey


@rule(9)
def assign(school: School, place: int, course: int) -> bool:
    """A course is assigned."""
    chosen = pick(free_places(school), place * 7 + course)
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
        [place for place in free_places(school) if place[2] in school.oracle.replica(place[0].name).records], number
    )
    if chosen is None:
        return False
    seat, person, key = chosen
    school.assign(seat, person, key.collection, key.course, active=True)
    return True


@rule(3)
def assign_twice(school: School, number: int) -> bool:
    """The same course is assigned to the same collection on two devices apart."""
    chosen = pick(pairs(free_places(school)), number)
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


def _change(school: School, number: int, change: Callable[[Seat, str | None, AssignmentKey, Assigned], None]) -> bool:
    chosen = pick(taken_places(school), number)
    if chosen is None:
        return False
    change(*chosen)
    return True


def _change_both(school: School, number: int, *, delete: bool) -> bool:
    chosen = pick(pairs(taken_places(school)), number)
    if chosen is None:
        return False
    (seat, person, key, was), other = chosen if number % 2 else chosen[::-1]
    if delete:
        school.unassign(seat, person, key)
    else:
        school.retitle(seat, person, key, was)
    school.retitle(*other)
    return True
