"""Killing a device's process at an operation of a transfer stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

from django.db import connections
from morango.registry import session_middleware

from morango_collection_sync.simulation.databases import ALIAS
from morango_collection_sync.simulation.device import current_device
from morango_collection_sync.simulation.faults import Kill, Moment, OperationRun

Decide = Callable[[OperationRun], "Kill | None"]
Tell = Callable[[Kill], None]


@contextmanager
def killable_operations(decide: Decide, tell: Tell) -> Iterator[None]:
    """Let Morango's operations be places at which the process of the device that runs them can be killed.

    :param decide: asked before each operation, on a device
    :param tell: called at each kill, on the device that it befalls
    """
    before = [list(group) for group in session_middleware]
    try:
        for group in session_middleware:
            group[:] = [_Killable(operation, group.related_stage, decide, tell) for operation in group]
        yield
    finally:
        for group, operations in zip(session_middleware, before):
            group[:] = operations


class _Killable:
    def __init__(self, operation: Any, stage: str, decide: Decide, tell: Tell) -> None:
        self.wrapped_operation = operation
        self._stage = stage
        self._decide = decide
        self._tell = tell

    def __call__(self, context: Any) -> Any:
        if current_device() is None:
            return self.wrapped_operation(context)
        is_server = bool(getattr(context, "is_server", False))
        kill = self._decide(OperationRun(self._stage, type(self.wrapped_operation).__name__, is_server))
        if kill is None:
            return self.wrapped_operation(context)
        if kill.moment is Moment.BEFORE:
            self._end(kill)
        within = self._at_statement(kill) if kill.moment is Moment.WITHIN else nullcontext()
        with within:
            result = self.wrapped_operation(context)
        # An operation that was not meant for this context has done nothing, so there is nothing after it.
        if kill.moment is Moment.AFTER and result is not False:
            self._end(kill)
        return result

    @contextmanager
    def _at_statement(self, kill: Kill) -> Iterator[None]:
        carried_out = 0

        def count(execute: Any, *arguments: Any) -> Any:
            nonlocal carried_out
            if carried_out == kill.statement:
                self._end(kill)
            carried_out += 1
            return execute(*arguments)

        with ExitStack() as stack:
            stack.enter_context(connections[ALIAS].execute_wrapper(count))
            yield

    def _end(self, kill: Kill) -> None:
        device = current_device()
        if device is not None:
            self._tell(kill)
            device.kill()
