"""How devices sync, and what goes wrong then."""

from __future__ import annotations

from course_assignment.simulation.choices import hub_of, pick, rarest, user_of
from course_assignment.simulation.rules import rule
from course_assignment.simulation.school import School
from morango_collection_sync.simulation.faults import Faults, Moment, NextKill, PlannedFaults, RequestFault


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


@rule(30, faulty=True)
def faulty_sync(school: School, device: int, hub: int) -> bool:
    """A device syncs, and things go wrong."""
    return _sync(school, device, hub, faults=school.random_faults())


@rule(8, faulty=True)
def killed_sync(school: School, device: int, hub: int, operation: int, moment: int) -> bool:
    """A device syncs, and its process or the hub's is killed at an operation of a stage."""
    kill = NextKill(rarest(school, Moment, moment), operation % 200, moment % 3)
    return _sync(school, device, hub, faults=PlannedFaults(kill=kill))


@rule(4, faulty=True)
def broken_sync(school: School, device: int, hub: int, kind: int, request: int) -> bool:
    """A device syncs, and one thing goes wrong, at a request."""
    fault = rarest(school, RequestFault, kind)
    return _sync(school, device, hub, faults=PlannedFaults({1 + request % 20: fault}))


@rule(3)
def hubs_sync(school: School, one: int, other: int) -> bool:
    """Two hubs sync with each other."""
    return _hubs_sync(school, one, other, faulty=False)


@rule(8, faulty=True)
def hubs_faulty_sync(school: School, one: int, other: int) -> bool:
    """Two hubs sync with each other, and things go wrong."""
    return _hubs_sync(school, one, other, faulty=True)


@rule(2)
def stock_peers(school: School, hub: int, device: int, direction: int) -> bool:
    """Those without this extension sync with a hub, and a hub or a device with them."""
    at = hub_of(school, hub)
    seat = pick([each for each in school.tablets if each.users and each.must_meet is None], device)
    tablet, stock_hub = school.without_extension(at, user_of(school, device))
    school.sync(tablet, at)
    if direction % 2:
        school.sync(at, stock_hub)
    else:
        school.sync(stock_hub, at)
    if seat is not None:
        school.sync(seat, stock_hub)
    return True


@rule(1)
def everybody(school: School) -> bool:
    """All sync with all until nothing is new, and then agree."""
    school.settle()
    return True


@rule(1)
def rogue(school: School, hub: int, role: int, collection: int) -> bool:
    """A coach's device says of a record that it is of the coach's collection, and it is of another."""
    seat = hub_of(school, hub)
    seen = school.observe(seat)
    victim = pick(sorted(seen.collections()), collection)
    chosen = pick(sorted(each for each in seen.roles() if each[1] in seen.collections() - {victim}), role)
    if victim is None or chosen is None:
        return False
    school.rogue(seat, *chosen, victim)
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
        at = hub_of(school, hub)
    school.sync(seat, at, pull=pull, push=push, faults=faults)
    return True


def _hubs_sync(school: School, one: int, other: int, *, faulty: bool) -> bool:
    client, server = hub_of(school, one), hub_of(school, other)
    if client is server:
        server = hub_of(school, other + 1)
    if client is server:
        return False
    school.sync(client, server, faults=school.random_faults() if faulty else None)
    return True
