"""What can go wrong between two devices and on each of them, drawn from a seed or planned."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum


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


@dataclass(frozen=True)
class NextKill:
    """A kill at the first place where it can happen, so that one that is planned does happen.

    :param moment: when in an operation. What has nothing to do there is not killed after it, and what writes less
        often than ``writes`` is not killed within it: the next operation is, then.
    :param skip: how many operations run before one may be it
    :param writes: for ``WITHIN``: how many statements that write are carried out before
    :param stage: Morango's name of the stage that it has to be; any when not given
    :param is_server: the side that it has to be; either when not given
    """

    moment: Moment
    skip: int = 0
    writes: int = 0
    stage: str | None = None
    is_server: bool | None = None

    def suits(self, run: OperationRun) -> bool:
        """Whether this may be the operation."""
        return self.stage in (None, run.stage) and self.is_server in (None, run.is_server)


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

    def __init__(self, requests: Mapping[int, RequestFault] | None = None, kill: Kill | NextKill | None = None) -> None:
        super().__init__()
        self._requests = dict(requests or {})
        self._kill = _Awaited(kill) if isinstance(kill, NextKill) else kill
        self._number = 0

    def for_request(self) -> RequestFault | None:
        self._number += 1
        return self._requests.get(self._number)

    def for_operation(self, run: OperationRun) -> Kill | None:
        if any(moment in self.happened for moment in Moment):
            return None
        if isinstance(self._kill, _Awaited):
            return self._kill.at(run)
        return self._kill if self._kill is not None and self._kill.run == run else None


class RandomFaults(Faults):
    """Faults drawn from one source of chance: the same requests get the same faults from the same seed.

    :param chance: the source; nothing else may draw from it if the run is to be repeated
    :param rate: the share of requests at which something goes wrong, 0 to 1
    :param requests: what may happen to a request
    :param kills: whether processes are killed, too. A kill is drawn like the others, at a request, and happens at
        one of the next operations.
    """

    most_skipped = 40
    """About as many operations as run between three requests."""
    most_writes = 3

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
        self._kill: _Awaited | None = None
        self._killed = 0

    def for_request(self) -> RequestFault | None:
        if not self._kinds or self._chance.random() >= self._rate:
            return None
        kind = self._chance.choice(self._kinds)
        if kind is None:
            self._kill, self._killed = self._draw_kill(), self._kills()
        return kind

    def for_operation(self, run: OperationRun) -> Kill | None:
        if self._kill is None or self._kills() > self._killed:
            return None
        return self._kill.at(run)

    def _kills(self) -> int:
        return sum(self.happened[moment] for moment in Moment)

    def _draw_kill(self) -> _Awaited:
        moment, skip = self._chance.choice(tuple(Moment)), self._chance.randrange(self.most_skipped)
        return _Awaited(NextKill(moment, skip, self._chance.randrange(self.most_writes)))


class _Awaited:
    def __init__(self, kill: NextKill) -> None:
        self._kill = kill
        self._skipped = 0

    def at(self, run: OperationRun) -> Kill | None:
        if not self._kill.suits(run):
            return None
        if self._skipped < self._kill.skip:
            self._skipped += 1
            return None
        return Kill(run, self._kill.moment, self._kill.writes)
