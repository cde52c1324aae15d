"""Every stage after initializing: the hub asks the policy again before it reads or writes a record."""

from __future__ import annotations

from morango.constants import transfer_stages
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY
from morango_collection_sync.granting import refuse_if_shrunk
from morango_collection_sync.hub_context import HubContext

_AFTER_SENDING = (transfer_stages.DEQUEUING, transfer_stages.DESERIALIZING)


class AskPolicyAgain(LocalOperation):
    """On the hub: ends a session that carries a collection which its user may no longer sync."""

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        """:raises SessionRefused: when the grant has shrunk"""
        if not context.is_server or context.transfer_session is None:
            return False
        # A hub that has sent everything reads no more: to end the session now would only keep the client from
        # finishing what it already has.
        if context.is_producer and context.stage in _AFTER_SENDING:
            return False
        # With nothing queued there is nothing to send, and to close such a session gives nothing away.
        if context.is_producer and context.stage == transfer_stages.TRANSFERRING and not _has_queued(context):
            return False
        # What is queued right after it was serialized for is asked about again before any of it is read.
        if context.is_producer and context.stage == transfer_stages.QUEUING and _has_asked(context):
            return False
        refuse_if_shrunk(context.transfer_session)
        if isinstance(context, HubContext):
            context.has_asked_policy = True
        return False


def _has_queued(context: LocalSessionContext) -> bool:
    return context.transfer_session.records_total != 0


def _has_asked(context: LocalSessionContext) -> bool:
    return isinstance(context, HubContext) and context.has_asked_policy
