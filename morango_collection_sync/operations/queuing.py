"""Queuing: what this device tells of itself, and no queuing again of what is queued."""

from __future__ import annotations

from typing import Any

from morango.constants import transfer_statuses
from morango.models.core import InstanceIDModel
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY
from morango_collection_sync.instances import (
    highest_counter,
    note_told,
    notice_put_back,
    serialize_anew,
)
from morango_collection_sync.verification.counters import parsed_counters


class NoteTold(LocalOperation):
    """On the side that sends, before any record goes out: how far it tells of itself.

    A device that pushes looks first at how far the hub has seen it. Where that is further than it has ever told, it
    was put back from a backup, and what it has serialized for this push stands for something else to the hub.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(context.is_producer)
        session = context.transfer_session
        if not context.is_server:
            instance, _ = InstanceIDModel.get_or_create_current_instance()
            seen = highest_counter(parsed_counters(session.server_fsic), instance.id)
            if notice_put_back(seen):
                serialize_anew(session)
        note_told(parsed_counters(session.server_fsic if context.is_server else session.client_fsic))
        return False


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
