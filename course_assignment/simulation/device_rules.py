"""What is done with devices."""

from __future__ import annotations

from course_assignment.simulation.choices import hub_of, pick, user_of, users_of
from course_assignment.simulation.rules import rule
from course_assignment.simulation.school import School


@rule(3)
def new_device(school: School, hub: int, user: int) -> bool:
    """Somebody takes a new device, and syncs it."""
    if len(school.tablets) >= school.knobs.devices:
        return False
    seat, at = school.new_tablet(), hub_of(school, hub)
    school.join(seat, at, user_of(school, user))
    school.sync(seat, at)
    return True


@rule(2)
def add_user(school: School, device: int, hub: int, user: int) -> bool:
    """A device is used by one more person, and syncs."""
    seat = pick([each for each in school.tablets if len(each.users) < 3 and each.must_meet is None], device)
    if seat is None:
        return False
    person = pick([each for each in users_of(school) if each not in seat.users], user)
    assert person is not None
    school.join(seat, hub_of(school, hub), person)
    school.sync(seat, hub_of(school, hub))
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
    seat = pick(school.tablets, device)
    if seat is None or seat.must_meet is not None:
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
