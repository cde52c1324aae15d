"""Killing a device's process at an operation of a transfer stage."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest import mock

from django.db import connections
from morango.registry import SessionMiddlewareOperations

from morango_collection_sync.simulation.databases import ALIAS
from morango_collection_sync.simulation.device import Device, current_device
from morango_collection_sync.simulation.faults import Kill, Moment, OperationRun

_WRITE = re.compile(r"\b(INSERT|(?<!FOR )UPDATE|DELETE|REPLACE)\b")

Decide = Callable[[OperationRun], "Kill | None"]
Tell = Callable[[Device, Kill], None]


@contextmanager
def killable_operations(decide: Decide, tell: Tell) -> Iterator[None]:
    """Let Morango's operations be places at which the process of the device that runs them can be killed.

    :param decide: asked before each operation on a device
    :param tell: told of each kill
    """
    run_stage = SessionMiddlewareOperations.__call__

    def run_killable(stage: Any, context: Any) -> Any:
        device = current_device()
        if device is None:
            return run_stage(stage, context)
        killable = SessionMiddlewareOperations(stage.related_stage)
        killable += [_Killable(operation, stage.related_stage, device, decide, tell) for operation in stage]
        return run_stage(killable, context)

    # Around whatever a device runs in a stage, be it the settings' operations or others that a test has put there.
    with mock.patch.object(SessionMiddlewareOperations, "__call__", run_killable):
        yield


class _Killable:
    def __init__(self, operation: Any, stage: str, device: Device, decide: Decide, tell: Tell) -> None:
        self._operation = operation
        self._stage = stage
        self._device = device
        self._decide = decide
        self._tell = tell

    def __call__(self, context: Any) -> Any:
        is_server = bool(getattr(context, "is_server", False))
        kill = self._decide(OperationRun(self._stage, type(self._operation).__name__, is_server))
        if kill is None:
            return self._operation(context)
        if kill.moment is Moment.BEFORE:
            self._end(kill)
        with self._at_write(kill):
            result = self._operation(context)
        # An operation that was not meant for this context has done nothing, so there is nothing after it.
        if kill.moment is Moment.AFTER and result is not False:
            self._end(kill)
        return result

    def _at_write(self, kill: Kill) -> AbstractContextManager[Any]:
        if kill.moment is not Moment.WITHIN:
            return nullcontext()
        written = 0

        def execute_or_end(execute: Any, sql: str, *arguments: Any) -> Any:
            nonlocal written
            if _WRITE.search(sql):
                if written == kill.writes:
                    self._end(kill)
                written += 1
            return execute(sql, *arguments)

        # While the device waits for an answer, this process is another device, on another connection than this.
        wrapper: AbstractContextManager[Any] = connections[ALIAS].execute_wrapper(execute_or_end)
        return wrapper

    def _end(self, kill: Kill) -> None:
        self._tell(self._device, kill)
        self._device.kill()
