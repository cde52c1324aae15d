"""Going through the stages of a transfer without waiting for nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from morango.constants import transfer_statuses
from morango.sync.controller import SessionController

from morango_collection_sync import conf
from morango_collection_sync.errors import SyncDeadlineExceeded


class EagerController(SessionController):
    """Goes on at once while there is something to do.

    Morango's own controller sleeps after each half of each stage, although nothing is waited for
    (``morango.sync.controller.SessionController.proceed_to_and_wait_for``, 0.8.15). This one only pauses when a
    call has changed nothing, and gives up at a deadline.
    """

    first_pause = 0.05
    longest_pause = 2.0

    def proceed_to_and_wait_for(
        self,
        target_stage: str,
        context: Any = None,
        max_interval: float | None = None,
        callback: Callable[[], None] | None = None,
    ) -> str:
        """Proceed to a stage, and return the status in which that ended.

        :param max_interval: the longest pause, in seconds; 2 when not given
        :param callback: called after every attempt
        :raises SyncDeadlineExceeded: when nothing has moved for ``SESSION_DEADLINE`` seconds
        """
        context = context or self.context
        deadline = conf.session_deadline()
        last_moved = time.monotonic()
        pause = self.first_pause
        while True:
            before = _position(context)
            result: str = self.proceed_to(target_stage, context=context)
            if callback is not None:
                callback()
            if result in transfer_statuses.FINISHED_STATES:
                return result
            now = time.monotonic()
            if _position(context) != before:
                last_moved, pause = now, self.first_pause
                continue
            if now - last_moved > deadline:
                raise SyncDeadlineExceeded(context.stage, deadline)
            time.sleep(pause)
            pause = min(pause * 2, max_interval or self.longest_pause)


def _position(context: Any) -> tuple[Any, ...]:
    """What differs once something has moved: the stage, which side is at work on it, how much is transferred."""
    session = context.transfer_session
    return (
        context.stage,
        context.stage_status,
        type(context.prepare()),
        session.records_transferred if session else None,
    )
