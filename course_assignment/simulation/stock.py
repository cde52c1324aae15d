"""A device that runs Morango as it comes, without this extension."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings
from morango.constants import settings as morango_settings
from morango.registry import STAGE_TO_SETTINGS, session_middleware
from morango.utils import do_import


@contextmanager
def stock_morango() -> Iterator[None]:
    """Morango's own operations and views, and no announcement; for a device's ``while_active``."""
    before = [list(group) for group in session_middleware]
    try:
        for group in session_middleware:
            group[:] = [do_import(path)() for path in getattr(morango_settings, STAGE_TO_SETTINGS[group.related_stage])]
        with override_settings(ROOT_URLCONF="course_assignment.simulation.stock_urls", MORANGO_INSTANCE_INFO={}):
            yield
    finally:
        for group, operations in zip(session_middleware, before):
            group[:] = operations
