"""What is done to the roster, on a hub."""

from __future__ import annotations

from course_assignment.simulation.choices import hub_of, pick, user_of
from course_assignment.simulation.rules import rule
from course_assignment.simulation.school import School


@rule(8)
def enrol(school: School, hub: int, user: int, collection: int) -> bool:
    """A learner joins a class, or a group of a class that they are in."""
    seat = hub_of(school, hub)
    seen = school.observe(seat)
    members = seen.memberships()
    choices = [
        (person, label)
        for person in sorted(school.names.users.values())
        for label in sorted(seen.collections())
        if (person, label) not in members
        and (school.oracle.class_of[label] is None or (person, school.oracle.class_of[label]) in members)
    ]
    chosen = pick([choice for choice in choices if choice[0] == user_of(school, user)] or choices, collection)
    if chosen is None:
        return False
    school.enrol(seat, *chosen)
    return True


@rule(5)
def withdraw(school: School, hub: int, membership: int) -> bool:
    """A learner leaves a class or a group."""
    seat = hub_of(school, hub)
    chosen = pick(sorted(school.observe(seat).memberships()), membership)
    if chosen is None:
        return False
    school.withdraw(seat, *chosen)
    return True


@rule(6)
def coach(school: School, hub: int, user: int, collection: int) -> bool:
    """Somebody becomes coach of a class or a group."""
    seat = hub_of(school, hub)
    seen = school.observe(seat)
    person = user_of(school, user)
    label = pick([each for each in sorted(seen.collections()) if (person, each) not in seen.roles()], collection)
    if label is None:
        return False
    school.coach(seat, person, label)
    return True


@rule(4)
def end_coach(school: School, hub: int, role: int) -> bool:
    """Somebody is no longer coach."""
    seat = hub_of(school, hub)
    chosen = pick(sorted(school.observe(seat).roles()), role)
    if chosen is None:
        return False
    school.end_coach(seat, *chosen)
    return True


@rule(2)
def new_class(school: School, hub: int) -> bool:
    """A class is made."""
    seat = hub_of(school, hub)
    if len(school.observe(seat).collections()) >= 8:
        return False
    school.new_collection(seat, None)
    return True


@rule(3)
def new_group(school: School, hub: int, classroom: int) -> bool:
    """A group of a class is made."""
    seat = hub_of(school, hub)
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
    seat = hub_of(school, hub)
    label = pick(sorted(school.observe(seat).collections()), collection)
    if label is None:
        return False
    school.rename(seat, label)
    return True


def _delete(school: School, hub: int, number: int, *, groups: bool) -> bool:
    seat = hub_of(school, hub)
    collections = sorted(school.observe(seat).collections())
    label = pick([each for each in collections if (school.oracle.class_of[each] is not None) is groups], number)
    # A school without classes is one in which nothing happens.
    if label is None or (not groups and sum(school.oracle.class_of[each] is None for each in collections) < 3):
        return False
    school.delete_collection(seat, label)
    return True
