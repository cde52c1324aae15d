"""Morango as it comes, on one device of a process whose settings have this extension."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from morango.registry import session_middleware

from course_assignment.simulation import stock
from tests.stock.widening import WidenOnce


@contextmanager
def stock_morango(*, widens: bool = False) -> Iterator[None]:
    """Morango's own operations and views, and no announcement; for a device's ``while_active``.

    A hub that answers such a device in the same process needs ``extended_morango`` for its own.

    :param widens: with a filter widened as Kolibri does it
    """
    with stock.stock_morango():
        if widens:
            session_middleware[0].insert(0, WidenOnce())
        yield
