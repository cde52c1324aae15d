"""How large a school is, and where a device stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from course_assignment.simulation.observed import Observed
from morango_collection_sync.simulation.databases import Database
from morango_collection_sync.simulation.device import Device


@dataclass(frozen=True)
class Knobs:
    """How large a school is, and how bad its network.

    :param seed: of everything that is left to chance
    :param devices: member devices at most
    :param hubs: hubs, from 1
    :param users: learners and coaches
    :param courses: that can be assigned
    :param classes: that there are to begin with; more are made
    :param faults: the share of requests at which something goes wrong, where a history has faults, 0 to 1
    """

    seed: int = 0
    devices: int = 4
    hubs: int = 2
    users: int = 5
    courses: int = 3
    classes: int = 2
    faults: float = 0.1


@dataclass
class Seat:
    """A device of the school.

    :param device: on the kit
    :param url: where it answers
    :param is_hub: whether it holds the whole facility
    :param is_stock: whether it lacks this extension
    :param backups: copies of its database, each with what the oracle thought of it then
    :param seen: what it had when somebody looked last; None when this process has been the device since
    :param checked: the same, when it was held against the oracle last
    :param must_meet: after it was put back from a backup: the name of the hub that has seen most of it
    """

    device: Device
    url: str
    is_hub: bool
    is_stock: bool = False
    users: list[str] = field(default_factory=list)
    backups: list[tuple[Database, Any, list[str], set[str]]] = field(default_factory=list)
    must_meet: str | None = None
    seen: Observed | None = None
    checked: Observed | None = None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """For the device's ``while_active``: it may be another one now."""
        self.seen = None
        yield

    @property
    def name(self) -> str:
        return self.device.name
