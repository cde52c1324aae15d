"""Cleanup: what follows from a completed pull or push on the device that asked for it."""

from __future__ import annotations

from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY
from morango_collection_sync.pending import note_pushed
from morango_collection_sync.pulls import finish_pull
from morango_collection_sync.release import drop_claims
from morango_collection_sync.sessions import client_certificate_of, dataset_id_of, server_certificate_of
from morango_collection_sync.undelivered import deliver_waiting


class FinishPull(LocalOperation):
    """On the client, at the end of a pull: applies what waits, releases what may not stay, offers edits back."""

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(not context.is_server)
        self._assert(context.is_receiver)
        finish_pull(context.transfer_session)
        return False


class FinishReceiving(LocalOperation):
    """On the hub, at the end of a push: applies what waits, whether this push has brought anything or not."""

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(context.is_server)
        self._assert(context.is_receiver)
        sync_session = context.sync_session
        deliver_waiting(sync_session.profile, dataset_id_of(server_certificate_of(sync_session)))
        return False


class FinishPush(LocalOperation):
    """On the client, at the end of a push, when the hub has stored it: notes what has reached a hub.

    The hub's half of the stage before this one is where it stores, and the client comes here only after that.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(not context.is_server)
        self._assert(context.is_producer)
        note_pushed(context.transfer_session)
        drop_claims(dataset_id_of(client_certificate_of(context.sync_session)), context.filter)
        return False
