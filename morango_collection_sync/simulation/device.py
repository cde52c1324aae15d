"""Devices: this process is one of them at a time, with that device's database and that device's memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from morango.models.core import InstanceIDModel

from morango_collection_sync.simulation.databases import Database, using
from morango_collection_sync.simulation.errors import ProcessKilled


@dataclass(frozen=True)
class ProcessMemory:
    """Something that a process keeps in a global, and that each device therefore has its own of.

    :param owner: the module or class
    :param attribute: its attribute
    :param empty: what it is when a process starts
    """

    owner: Any
    attribute: str
    empty: Any = None


MORANGO_MEMORY = (ProcessMemory(InstanceIDModel, "_cached_instance"),)
"""What Morango keeps (read in 0.8.15)."""


class Device:
    """A device, which this process is inside ``with device:``.

    Such blocks nest: while one device waits for its request, this process is the other one that answers. In
    another thread it can be another device only while this thread waits, since the memory is the process's own.

    :param name: for traces and messages; no two devices of a network have the same
    :param database: its own
    :param memory: what the host keeps in globals, beyond :data:`MORANGO_MEMORY`
    :param while_active: makers of context managers, entered whenever this process becomes the device: for what
        else is special on it, such as other settings
    """

    def __init__(
        self,
        name: str,
        database: Database,
        *,
        memory: Sequence[ProcessMemory] = (),
        while_active: Sequence[Callable[[], AbstractContextManager[Any]]] = (),
    ) -> None:
        self.name = name
        self.database = database
        self.while_active = tuple(while_active)
        self._memory = (*MORANGO_MEMORY, *memory)
        self._kept = self._empty()

    def __repr__(self) -> str:
        return f"<Device {self.name}>"

    def __enter__(self) -> Device:
        with ExitStack() as stack:
            stack.enter_context(using(self.database))
            for memory, kept in zip(self._memory, self._kept):
                stack.callback(setattr, memory.owner, memory.attribute, getattr(memory.owner, memory.attribute))
                setattr(memory.owner, memory.attribute, kept)
            # Before the outer device's is put back, which the callbacks above do in reverse order.
            stack.callback(self._keep)
            for make in self.while_active:
                stack.enter_context(make())
            _active().append((self, stack.pop_all()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        _, stack = _active().pop()
        return stack.__exit__(kind, error, trace)

    def kill(self) -> None:
        """End the process that this device is here: what is not committed is lost, and so is its memory.

        :raises ProcessKilled: always
        """
        self.database.crash()
        for memory in self._memory:
            setattr(memory.owner, memory.attribute, memory.empty)
        raise ProcessKilled

    def restore(self, database: Database) -> None:
        """Put another database under this device, such as a copy that was made of its own before.

        Not inside ``with device:``. The one that it had is dropped.
        """
        before, self.database = self.database, database
        self._kept = self._empty()
        before.drop()

    def _empty(self) -> list[Any]:
        return [memory.empty for memory in self._memory]

    def _keep(self) -> None:
        self._kept = [getattr(memory.owner, memory.attribute) for memory in self._memory]


def current_device() -> Device | None:
    """The device that this process is, in this thread; None outside of every device."""
    active = _active()
    return active[-1][0] if active else None


_threads = threading.local()


def _active() -> list[tuple[Device, ExitStack]]:
    if not hasattr(_threads, "active"):
        _threads.active = []
    return _threads.active
