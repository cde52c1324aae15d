"""Meeting a conflict between two transactions where it happens, and not at the other end of a network."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from morango.constants import transfer_statuses

MOST_TRIES = 20
LONGEST_PAUSE = 0.25
"""Seconds. The pause is drawn at random, so that those who met once do not meet again in step."""


def until_settled(attempt: Callable[[], str], pause: Callable[[float], None] = time.sleep) -> str:
    """Try again while an attempt says that it is pending, and return what the last one said.

    Morango's serializing and deserializing take the facility's lock inside a transaction whose snapshot is older than
    the lock, find that somebody else has written meanwhile, and leave the stage pending. A client only asks how the
    stage is getting on and never sends it again, and waits for ever (Morango 0.8.15, PostgreSQL).

    :param attempt: returns one of :mod:`morango.constants.transfer_statuses`
    :param pause: waits for so many seconds
    """
    status = attempt()
    for _ in range(MOST_TRIES - 1):
        if status != transfer_statuses.PENDING:
            break
        pause(random.uniform(0, LONGEST_PAUSE))
        status = attempt()
    return status
