"""The controller goes on while something moves, waits longer and longer while nothing does, and gives up in the end."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from morango.constants import transfer_statuses

from morango_collection_sync.controller import EagerController
from morango_collection_sync.errors import SyncDeadlineExceeded
from morango_collection_sync.simulation.clock import Clock

MOVES, STAYS = True, False


class Scripted(EagerController):
    """Each call moves something or does not, as the script says; the one after the last finishes."""

    def __init__(self, script: list[bool], result: str = transfer_statuses.COMPLETED) -> None:
        super().__init__([], None)
        self._steps = iter(script)
        self._result = result

    def proceed_to(self, target_stage: str, context: Any = None) -> str:
        step = next(self._steps, None)
        if step is None:
            return self._result
        context.transfer_session.records_transferred += step
        return transfer_statuses.PENDING


class PausingClock(Clock):
    """A clock that keeps each pause."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        super().sleep(seconds)


@pytest.fixture
def clock() -> Iterator[PausingClock]:
    clock = PausingClock()
    deadline = {**settings.COLLECTION_SYNC, "SESSION_DEADLINE": 20}
    with clock.running(), override_settings(COLLECTION_SYNC=deadline):
        yield clock


def _context() -> Any:
    return SimpleNamespace(
        stage="queuing",
        stage_status=transfer_statuses.PENDING,
        transfer_session=SimpleNamespace(records_transferred=0),
        prepare=lambda: None,
    )


def test_moving_on_takes_no_pause(clock: PausingClock) -> None:
    Scripted([MOVES] * 5).proceed_to_and_wait_for("queuing", _context())

    assert clock.pauses == []


def test_pauses_double_up_to_the_longest_while_nothing_moves(clock: PausingClock) -> None:
    Scripted([STAYS] * 8).proceed_to_and_wait_for("queuing", _context())

    assert clock.pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_pauses_are_short_again_once_something_has_moved(clock: PausingClock) -> None:
    Scripted([STAYS, STAYS, MOVES, STAYS]).proceed_to_and_wait_for("queuing", _context())

    assert clock.pauses == [0.05, 0.1, 0.05]


def test_longest_pause_is_the_callers_where_given(clock: PausingClock) -> None:
    Scripted([STAYS] * 4).proceed_to_and_wait_for("queuing", _context(), max_interval=0.15)

    assert clock.pauses == [0.05, 0.1, 0.15, 0.15]


def test_deadline_counts_from_when_something_has_moved_last(clock: PausingClock) -> None:
    result = Scripted(([STAYS] * 12 + [MOVES]) * 3).proceed_to_and_wait_for("queuing", _context())

    assert result == transfer_statuses.COMPLETED
    assert sum(clock.pauses) > 20


def test_deadline_ends_the_wait_with_the_name_of_the_stage(clock: PausingClock) -> None:
    with pytest.raises(SyncDeadlineExceeded) as exceeded:
        Scripted([STAYS] * 100).proceed_to_and_wait_for("queuing", _context())

    assert exceeded.value.stage == "queuing"
    assert 20 < sum(clock.pauses) < 23


def test_error_ends_the_wait(clock: PausingClock) -> None:
    result = Scripted([], transfer_statuses.ERRORED).proceed_to_and_wait_for("queuing", _context())

    assert result == transfer_statuses.ERRORED


def test_callback_is_called_after_every_attempt(clock: PausingClock) -> None:
    calls: list[None] = []
    Scripted([MOVES, STAYS]).proceed_to_and_wait_for("queuing", _context(), callback=lambda: calls.append(None))

    assert len(calls) == 3
