"""What can go wrong between two devices and on each of them, drawn from a seed or planned."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from morango.registry import session_middleware
from morango.sync.operations import NetworkOperation


class RequestFault(Enum):
    """What can happen to one request."""

    LOSE_REQUEST = "lose request"
    """It never arrives."""
    LOSE_ANSWER = "lose answer"
    """It is carried out, and whoever sent it does not hear so."""
    REPEAT = "repeat"
    """It arrives twice; the first answer is the one that comes back."""
    DELAY = "delay"
    """Whoever sent it gives it up, and it arrives all the same, after a later one."""
    CUT = "cut"
    """Nothing gets through any more on this connection: neither this request nor a later one."""


class Moment(Enum):
    """When in an operation a process is killed."""

    BEFORE = "before"
    WITHIN = "within"
    """Before it writes to the database, for the first time or a later one."""
    AFTER = "after"
    """When it has done its work, and before the stage is recorded as done."""


@dataclass(frozen=True)
class OperationRun:
    """An operation about to run.

    :param stage: Morango's name of the stage
    :param operation: the name of the operation's class
    :param is_server: whether it runs for a request, on the device that was asked
    """

    stage: str
    operation: str
    is_server: bool

    def __str__(self) -> str:
        return f"{self.stage}.{self.operation}"


@dataclass(frozen=True)
class Kill:
    """An operation at which a process is killed.

    :param run: the operation, and on which side
    :param moment: when in it
    :param writes: for ``WITHIN``: how many statements that write are carried out before
    """

    run: OperationRun
    moment: Moment
    writes: int = 0


class Faults:
    """No faults. A subclass says which; the network asks it at each request and each operation.

    :ivar happened: how often each fault has happened: a :class:`RequestFault` or a :class:`Moment` of a kill
    """

    def __init__(self) -> None:
        self.happened: Counter[RequestFault | Moment] = Counter()

    def for_request(self) -> RequestFault | None:
        """What happens to the next request."""
        return None

    def for_operation(self, run: OperationRun) -> Kill | None:
        """Whether the process is killed at this operation. Where it writes less often than asked, it survives."""
        return None


class PlannedFaults(Faults):
    """Faults at places that are known beforehand, for tests of one thing each.

    :param requests: by the number of the request, from 1; each happens once
    :param kill: where to kill the process, the first time that this place is reached
    """

    def __init__(self, requests: Mapping[int, RequestFault] | None = None, kill: Kill | None = None) -> None:
        super().__init__()
        self._requests = dict(requests or {})
        self._kill = kill
        self._number = 0

    def for_request(self) -> RequestFault | None:
        self._number += 1
        return self._requests.get(self._number)

    def for_operation(self, run: OperationRun) -> Kill | None:
        if self._kill is None or self._kill.run != run or any(moment in self.happened for moment in Moment):
            return None
        return self._kill


class RandomFaults(Faults):
    """Faults drawn from one source of chance: the same requests get the same faults from the same seed.

    :param chance: the source; nothing else may draw from it if the run is to be repeated
    :param rate: the share of requests at which something goes wrong, 0 to 1
    :param requests: what may happen to a request
    :param kills: whether processes are killed, too. A kill is drawn like the others, at a request; it then waits
        for its operation, at most until the next one is drawn.
    """

    most_writes = 6

    def __init__(
        self,
        chance: random.Random,
        rate: float = 0.1,
        requests: Collection[RequestFault] = tuple(RequestFault),
        *,
        kills: bool = True,
    ) -> None:
        super().__init__()
        self._chance = chance
        self._rate = rate
        self._kinds: tuple[RequestFault | None, ...] = (*requests, *((None,) if kills else ()))
        self._kill: Kill | None = None

    def for_request(self) -> RequestFault | None:
        if not self._kinds or self._chance.random() >= self._rate:
            return None
        kind = self._chance.choice(self._kinds)
        if kind is None:
            self._kill = self._draw_kill()
        return kind

    def for_operation(self, run: OperationRun) -> Kill | None:
        if self._kill is None or self._kill.run != run:
            return None
        kill, self._kill = self._kill, None
        return kill

    def _draw_kill(self) -> Kill:
        return Kill(
            self._chance.choice(all_operations()),
            self._chance.choice(tuple(Moment)),
            self._chance.randrange(self.most_writes),
        )


def all_operations() -> tuple[OperationRun, ...]:
    """Every operation of every stage, as the settings have them, on each side that it can run on."""
    runs = []
    for group in session_middleware:
        for operation in group:
            sides = (False,) if isinstance(operation, NetworkOperation) else (False, True)
            runs += [OperationRun(group.related_stage, type(operation).__name__, side) for side in sides]
    return tuple(runs)
