"""The operations of collection-scoped sync, by Morango's transfer stage, as Kolibri's sync hook wants them."""

from __future__ import annotations

from functools import cache
from typing import Any

from morango.registry import STAGE_TO_SETTINGS
from morango.utils import do_import

from morango_collection_sync.conf import OPERATIONS


@cache
def operations_for(stage: str) -> list[Any]:
    """Our operations for this stage, in the order in which they run.

    Kolibri runs the operations of all its plugins by their ``priority``, the highest first, and keeps the order of
    those with the same one (``kolibri.core.auth.sync_operations.KolibriSyncOperations``, 0.19.5).

    :param stage: one of :mod:`morango.constants.transfer_stages`
    """
    return [do_import(path)() for path in OPERATIONS.get(STAGE_TO_SETTINGS.get(stage, ""), ())]
