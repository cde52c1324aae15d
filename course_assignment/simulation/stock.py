"""A device that runs Morango as it comes, without this extension."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.conf import settings
from django.test import override_settings
from morango.constants import settings as morango_settings
from morango.registry import STAGE_TO_SETTINGS, session_middleware
from morango.utils import do_import

_put_aside: list[tuple[list[list[Any]], dict[str, Any]]] = []


@contextmanager
def stock_morango() -> Iterator[None]:
    """Morango's own operations and views, and no announcement; for a device's ``while_active``."""
    of_morango = [
        [do_import(path)() for path in getattr(morango_settings, STAGE_TO_SETTINGS[group.related_stage])]
        for group in session_middleware
    ]
    without = {"ROOT_URLCONF": "course_assignment.simulation.stock_urls", "MORANGO_INSTANCE_INFO": {}}
    _put_aside.append(
        ([list(group) for group in session_middleware], {name: getattr(settings, name) for name in without})
    )
    try:
        with _running(of_morango, without):
            yield
    finally:
        _put_aside.pop()


@contextmanager
def extended_morango() -> Iterator[None]:
    """What the settings say; for the ``while_active`` of a device that answers one without the extension."""
    with ExitStack() as stack:
        if _put_aside:
            stack.enter_context(_running(*_put_aside[0]))
        yield


@contextmanager
def _running(operations: list[list[Any]], overridden: dict[str, Any]) -> Iterator[None]:
    before = [list(group) for group in session_middleware]
    try:
        for group, here in zip(session_middleware, operations):
            group[:] = here
        with override_settings(**overridden):
            yield
    finally:
        for group, here in zip(session_middleware, before):
            group[:] = here
