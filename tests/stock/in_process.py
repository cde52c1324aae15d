"""Morango as it comes, on one device of a process whose settings have this extension."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings
from morango.constants import settings as morango_settings
from morango.registry import STAGE_TO_SETTINGS, session_middleware
from morango.utils import do_import

from tests.stock.widening import WidenOnce


@contextmanager
def stock_morango(*, widens: bool = False) -> Iterator[None]:
    """Morango's own operations and views, and no announcement; for a device's ``while_active``.

    :param widens: with a filter widened as Kolibri does it
    """
    before = [list(group) for group in session_middleware]
    try:
        for group in session_middleware:
            group[:] = [do_import(path)() for path in getattr(morango_settings, STAGE_TO_SETTINGS[group.related_stage])]
        if widens:
            session_middleware[0].insert(0, WidenOnce())
        with override_settings(ROOT_URLCONF="tests.stock.urls", MORANGO_INSTANCE_INFO={}):
            yield
    finally:
        for group, operations in zip(session_middleware, before):
            group[:] = operations
