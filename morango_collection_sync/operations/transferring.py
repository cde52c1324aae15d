"""Transferring: a hub goes on from here only when it has what was announced to it."""

from __future__ import annotations

from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY
from morango_collection_sync.refusals import end_transfer_session, records_missing


class AwaitRecords(LocalOperation):
    """On the hub of a push: ends a session that is to go on to a later stage while records are still to come.

    Morango would take the request for a record, and leave the session in error without a word.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        """:raises SessionRefused: when records are missing"""
        self._assert(context.is_server)
        self._assert(context.is_receiver)
        transfer_session = context.transfer_session
        sent, announced = transfer_session.records_transferred, transfer_session.records_total or 0
        if sent < announced and not isinstance(context.request.data, list):
            refusal = records_missing(sent, announced)
            end_transfer_session(transfer_session, refusal)
            raise refusal
        return False
