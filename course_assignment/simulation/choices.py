"""What there is to choose from: hubs, users, places to write in. A number chooses."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, TypeVar

from course_assignment.simulation.school import School
from course_assignment.simulation.seats import Seat
from course_assignment.simulation.versions import Assigned, AssignmentKey

T = TypeVar("T")
F = TypeVar("F", bound=Enum)


def pick(choices: Sequence[T], number: int) -> T | None:
    """One of these."""
    return choices[number % len(choices)] if choices else None


def rarest(school: School, kinds: type[F], number: int) -> F:
    """One of those that have happened least here so far."""
    least = min(school.happened[kind] for kind in kinds)
    rare = [kind for kind in kinds if school.happened[kind] == least]
    return rare[number % len(rare)]


def hub_of(school: School, number: int) -> Seat:
    return school.hubs[number % len(school.hubs)]


def user_of(school: School, number: int) -> str:
    users = users_of(school)
    return users[number % len(users)]


def users_of(school: School) -> list[str]:
    """Everybody, learner or coach."""
    return sorted(school.names.users.values())


Place = tuple[Seat, "str | None", AssignmentKey]


def writers(school: School) -> list[tuple[Seat, str | None, str]]:
    """Who may write where, on each device; nobody in particular on a hub."""
    found: list[tuple[Seat, str | None, str]] = []
    for seat in school.hubs:
        seen = school.observe(seat)
        found += [(seat, None, label) for label in sorted(seen.collections())]
        found += [(seat, user, label) for user, label in sorted(seen.roles()) if label in seen.collections()]
    for seat in school.tablets:
        seen = school.observe(seat)
        for person in seat.users:
            rights = school.oracle.rights(seat.name, [person], seen)
            # Three times: what is written on a tablet is what may get lost.
            found += 3 * [(seat, person, label) for label in sorted(rights.writable)]
    return found


def free_places(school: School) -> list[Place]:
    seen = {seat.name: school.observe(seat).rows for seat in school.all_seats}
    return [
        (seat, person, AssignmentKey(label, course))
        for seat, person, label in writers(school)
        for course in school.courses
        if AssignmentKey(label, course) not in seen[seat.name]
    ]


def taken_places(school: School) -> list[tuple[Seat, str | None, AssignmentKey, Assigned]]:
    seen = {seat.name: school.observe(seat).rows for seat in school.all_seats}
    return [
        (seat, person, key, value)
        for seat, person, label in writers(school)
        for key, value in sorted(seen[seat.name].items())
        if isinstance(key, AssignmentKey) and key.collection == label
    ]


def pairs(places: Sequence[Any]) -> list[tuple[Any, Any]]:
    return [
        (one, other)
        for number, one in enumerate(places)
        for other in places[number + 1 :]
        if one[0] is not other[0] and one[2] == other[2]
    ]
