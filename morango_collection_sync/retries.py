"""Meeting a conflict between two transactions where it happens, and not at the other end of a network."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from django.db import OperationalError

from morango_collection_sync.upstream import is_conflict

MOST_TRIES = 20
LONGEST_PAUSE = 0.25
"""Seconds. The pause is drawn at random, so that those who met once do not meet again in step."""


def until_settled(attempt: Callable[[], None], pause: Callable[[float], None] = time.sleep) -> None:
    """Try again while an attempt meets a conflict with another transaction.

    Morango's serializing and deserializing take the facility's lock inside a transaction whose snapshot is older than
    the lock, and find that somebody else has written meanwhile. Morango's operations leave the stage pending then; a
    client only asks how the stage is getting on and never sends it again, and waits for ever (0.8.15, PostgreSQL).

    :param attempt: a transaction of its own
    :param pause: waits for so many seconds
    :raises OperationalError: for a conflict that the last try meets, too, or for anything else at once
    """
    for _ in range(MOST_TRIES - 1):
        try:
            return attempt()
        except OperationalError as error:
            if not is_conflict(error):
                raise
        pause(random.uniform(0, LONGEST_PAUSE))
    return attempt()
