"""Operations for tests, put ahead of all others of a stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from morango.constants import transfer_statuses
from morango.registry import session_middleware
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation


class NeverDone(LocalOperation):
    """A stage of which the hub never says that it is finished."""

    def handle(self, context: LocalSessionContext) -> Any:
        return transfer_statuses.PENDING if context.is_server else False


class Broken(LocalOperation):
    """A stage that fails on the device that asks."""

    def handle(self, context: LocalSessionContext) -> Any:
        if not context.is_server:
            raise ValueError("this device is broken")
        return False


@contextmanager
def operation_at(stage: str, operation: LocalOperation) -> Iterator[None]:
    """Run this operation first at a stage, on every device."""
    (group,) = [group for group in session_middleware if group.related_stage == stage]
    group.insert(0, operation)
    try:
        yield
    finally:
        group.remove(operation)
