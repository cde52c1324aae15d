"""What is measured: each function does one thing on a place of its own, and returns numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.peer import STOCK
from benchmarks.processes import Failed, Hub, Place, PostgreSQL, Process, all_at_once
from benchmarks.school import COACH, School, learner

Row = dict[str, Any]
"""One result: what was done, and its numbers or why there are none."""

SMALL = School(classrooms=200, assignments=20, learners=32)
"""A learner is in 5 of 200 collections of 20 assignments each: about 300 records."""

PATIENCE = 300.0
"""Seconds after which a sync counts as one that does not end."""

PATIENCE_WITH_MANY = 100.0
"""The same, from the moment at which all of many devices have begun."""


class Meter:
    """Counts what one sync costs the device, the hub, and the hub's database server.

    :param hub: the hub
    :param server: the PostgreSQL server where the hub's database is; None for SQLite
    """

    def __init__(self, hub: Hub, server: PostgreSQL | None) -> None:
        self.hub = hub
        self._server = server

    def sync(self, device: Process, **how: bool) -> Row:
        """Sync once; its numbers, or ``failed`` with the reason."""
        before, database_before = self.hub.cost(), self._database()
        try:
            done = device.ask("sync", patience=PATIENCE, url=self.hub.url, **how)
        except Failed as failed:
            return {"failed": failed.reason}
        after = self.hub.cost()
        row = {
            "records": done["records"],
            "requests": int(after["requests"] - before["requests"]),
            "bytes_down": done["received"],
            "bytes_up": done["sent"],
            "hub_statements": int(after["statements"] - before["statements"]),
            "device_statements": done["statements"],
            "hub_cpu": round(after["cpu"] - before["cpu"], 3),
            "device_cpu": round(done["cpu"], 3),
            "wall": round(done["wall"], 3),
        }
        if self._server is not None:
            row["database_cpu"] = round(self._database() - database_before, 3)
        return row

    def _database(self) -> float:
        return self._server.cpu_seconds() if self._server is not None else 0.0


def small_syncs(place: Place, server: PostgreSQL | None) -> Iterator[tuple[str, Row]]:
    """One learner's syncs: the first, those with nothing to do, and those with one change."""
    hub = place.hub(**vars(SMALL))
    meter = Meter(hub, server)
    device = place.device(hub, learner(0))
    yield "first pull", meter.sync(device, pull=True, push=False)
    # The second one settles what the first has left to tell.
    device.ask("sync", url=hub.url)
    for name, how in (
        ("no-op pull", {"push": False}),
        ("no-op push and pull", {}),
    ):
        device.ask("forget_sessions")
        yield f"{name}, new session", meter.sync(device, **how)
        _open_session(place, hub, device)
        yield f"{name}, resumed session", meter.sync(device, resume=True, **how)
    _open_session(place, hub, device)
    hub.ask("rename", number=0, title="Another title")
    yield "one changed record", meter.sync(device, resume=True)
    if place.way != STOCK:
        yield from _release_and_return(hub, meter, device)


def _open_session(place: Place, hub: Hub, device: Process) -> None:
    """See to it that there is a session to resume: stock closes its own at the end of every sync."""
    if place.way == STOCK:
        device.ask("sync", url=hub.url, push=False, quickly=True)


def _release_and_return(hub: Hub, meter: Meter, device: Process) -> Iterator[tuple[str, Row]]:
    hub.ask("withdraw", username=learner(0), number=0)
    yield "release of one collection", meter.sync(device)
    hub.ask("enrol", username=learner(0), number=0)
    yield "return to it", meter.sync(device)


def growth(place: Place, server: PostgreSQL | None, collections: int) -> Iterator[tuple[str, Row]]:
    """A coach's syncs of so many collections with one assignment each."""
    hub = place.hub(**vars(School(classrooms=collections, assignments=1)))
    meter = Meter(hub, server)
    device = place.device(hub, COACH)
    first = meter.sync(device, pull=True, push=False)
    yield "first pull", first
    if "failed" in first:
        return
    device.ask("sync", url=hub.url, patience=4 * PATIENCE)
    yield "no-op pull", meter.sync(device, pull=True, push=False)


def classes_at_once(place: Place, workers: int, sizes: tuple[int, ...]) -> Iterator[tuple[int, Row]]:
    """Devices of learners that all push and pull at the same moment, with nothing to do.

    :param workers: processes of the hub
    :param sizes: how many devices at a time
    """
    hub = place.hub(workers, **vars(SMALL))
    devices = []
    for number in range(max(sizes)):
        device = place.device(hub, learner(number))
        for _ in range(2):
            device.ask("sync", url=hub.url, quickly=True)
        devices.append(device)
    for size in sizes:
        completed, wall, reasons = all_at_once(devices[:size], PATIENCE_WITH_MANY, url=hub.url)
        yield (
            size,
            {
                "completed": completed,
                "wall": round(wall, 2),
                "a_second": round(completed / wall, 2) if wall else 0.0,
                "reasons": sorted(set(reasons)),
            },
        )


def timed(measure: Callable[[], Iterator[Any]], say: Callable[[str], None], what: str) -> list[Any]:
    """All results of one measurement, with a line for a person who waits."""
    started = time.monotonic()
    results = list(measure())
    say(f"{what}: {time.monotonic() - started:.0f} s")
    return results
