"""Queuing: what was queued for a session once is not queued again when the session is resumed."""

from __future__ import annotations

from typing import Any

from morango.constants import transfer_statuses
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY


class QueueOnce(LocalOperation):
    """On the side that sends: goes on with the records that are queued already.

    A push that was interrupted while the hub was told how many records there are comes to this stage a second time
    (``morango.sync.context.CompositeSessionContext.join``, 0.8.15), and Morango cannot queue a record twice.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> Any:
        """Finish the stage when it was finished before. Morango notes the number of records when all are queued."""
        if context.is_producer and context.transfer_session.records_total is not None:
            return transfer_statuses.COMPLETED
        return False
