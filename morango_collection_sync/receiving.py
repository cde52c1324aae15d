"""Storing what a session has brought, and how far its sender has come, for a filter of any length."""

from __future__ import annotations

import json

from django.db import transaction
from morango.constants import transfer_statuses
from morango.constants.capabilities import FSIC_V2_FORMAT
from morango.models.core import DatabaseMaxCounter
from morango.sync.context import LocalSessionContext
from morango.sync.operations import ReceiverDequeueOperation

from morango_collection_sync import upstream
from morango_collection_sync.value_lists import upsert_greater

_morango = ReceiverDequeueOperation()


def store_received(context: LocalSessionContext) -> str:
    """Bring what a session has received into Morango's Store, with the sender's counters, in one transaction.

    :param context: of the side that receives; the counters are those of
        :func:`~.verification.counters.justified`
    :return: the status of the stage
    """
    session = context.transfer_session
    if FSIC_V2_FORMAT not in context.capabilities or not session.records_transferred:
        return str(_morango.handle(context))
    counters = json.loads(session.client_fsic if context.is_server else session.server_fsic)
    with transaction.atomic():
        upstream.dequeue(session)
        upsert_greater(
            DatabaseMaxCounter,
            ("instance_id", "partition"),
            [
                (instance_id, partition, counter)
                for partition, held in counters["sub"].items()
                for instance_id, counter in held.items()
            ],
        )
    return str(transfer_statuses.COMPLETED)
