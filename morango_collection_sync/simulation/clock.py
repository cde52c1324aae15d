"""A clock by which waiting takes no time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

_SLEEPERS = (
    "morango.sync.controller.sleep",
    "morango_collection_sync.controller.time",
    "urllib3.util.retry.time",
)
"""The names by which a sync waits (read in Morango 0.8.15 and urllib3 2): a function, or the module that has it."""


class Clock:
    """Stands for the module ``time`` where a sync waits: whoever sleeps goes on at once, later by that time.

    Dates are not this clock's: what Morango and the host stamp on their rows is the real time.
    """

    def __init__(self) -> None:
        self.slept = 0.0
        """Seconds."""

    def sleep(self, seconds: float) -> None:
        """Let this time pass, in no time."""
        self.slept += seconds

    def monotonic(self) -> float:
        """Seconds, only those that were slept: how busy the machine is makes no difference to what happens."""
        return self.slept

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    @contextmanager
    def running(self) -> Iterator[Clock]:
        """Let all syncs of this process wait by this clock."""
        with ExitStack() as stack:
            for target in _SLEEPERS:
                stack.enter_context(mock.patch(target, self.sleep if target.endswith(".sleep") else self))
            yield self
