"""Queuing: what this device tells of itself, what the peer lacks, and no queuing again of what is queued."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from morango.constants import transfer_statuses
from morango.constants.capabilities import FSIC_V2_FORMAT
from morango.models.core import Buffer
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation, ProducerQueueOperation

from morango_collection_sync.conf import OPERATION_PRIORITY, TAKEOVER_PRIORITY
from morango_collection_sync.filter_counters import expanded, lacking
from morango_collection_sync.hub_context import own_instance
from morango_collection_sync.instances import (
    highest_counter,
    note_told,
    notice_put_back,
    serialize_anew,
)
from morango_collection_sync.queuing import queue_lacking
from morango_collection_sync.verification.counters import parsed_counters

_FEW = 100
"""Partitions and counters of which Morango makes one short statement."""


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
            instance = own_instance(context)
            seen = highest_counter(parsed_counters(session.server_fsic), instance.id)
            if notice_put_back(instance, seen):
                serialize_anew(session)
        declared = parsed_counters(session.server_fsic if context.is_server else session.client_fsic)
        note_told(own_instance(context).id, declared)
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


class QueueLacking(ProducerQueueOperation):
    """On the side that sends: queues what the peer lacks, for a filter of any length.

    Morango's own operation does it where it makes one condition of a moderate depth of it.
    """

    priority = TAKEOVER_PRIORITY

    def handle(self, context: LocalSessionContext) -> Any:
        self._assert(context.is_producer)
        self._assert(FSIC_V2_FORMAT in context.capabilities)
        session = context.transfer_session
        declared = (
            (session.client_fsic, session.server_fsic) if session.push else (session.server_fsic, session.client_fsic)
        )
        sending, receiving = (expanded(json.loads(text), context.filter) for text in declared)
        missing = lacking(sending, receiving)
        if not missing:
            session.records_total = 0
            session.save(update_fields=["records_total"])
            return transfer_statuses.COMPLETED
        # Together, or a device that dies in between could not queue the same records once more.
        with transaction.atomic():
            if len(context.filter) + sum(map(len, missing.values())) <= _FEW:
                return super().handle(context)
            queue_lacking(session, missing)
            session.records_total = Buffer.objects.filter(transfer_session=session).count()
            session.save(update_fields=["records_total"])
        return transfer_statuses.COMPLETED
