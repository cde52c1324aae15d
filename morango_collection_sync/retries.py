"""Meeting a conflict between two transactions where it happens, and not at the other end of a network."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError

from morango_collection_sync.upstream import is_conflict

MOST_TRIES = 20
LONGEST_PAUSE = 0.25
"""Seconds. The pause is drawn at random, so that those who met once do not meet again in step."""

_Result = TypeVar("_Result")

_TAKEN = "23505"
"""What PostgreSQL says of a row that another transaction has inserted meanwhile (``unique_violation``)."""


def until_settled(attempt: Callable[[], _Result], pause: Callable[[float], None] = time.sleep) -> _Result:
    """Try again while an attempt meets a conflict with another transaction.

    Morango's serializing and deserializing take the facility's lock inside a transaction whose snapshot is older than
    the lock, and find that somebody else has written meanwhile. Morango's operations leave the stage pending then; a
    client only asks how the stage is getting on and never sends it again, and waits for ever (0.8.15, PostgreSQL).
    Sessions of different filters have different locks, and may both bring one new record into the Store: the second one
    finds its id taken, and by the next try, the record serialized.

    :param attempt: a transaction of its own
    :param pause: waits for so many seconds
    :return: what the attempt returns that settles
    :raises OperationalError: for a conflict that the last try meets, too, or for anything else at once
    :raises IntegrityError: in the same way
    """
    for _ in range(MOST_TRIES - 1):
        try:
            return attempt()
        except OperationalError as error:
            if not is_conflict(error):
                raise
        except IntegrityError as error:
            if getattr(error.__cause__, "pgcode", None) != _TAKEN:
                raise
        pause(random.uniform(0, LONGEST_PAUSE))
    return attempt()
