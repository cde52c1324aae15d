"""Deserializing a pull on a device: first this device's own edits are kept from going with what is deleted."""

from __future__ import annotations

from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation, ReceiverDeserializeOperation

from morango_collection_sync.conf import OPERATION_PRIORITY, TAKEOVER_PRIORITY
from morango_collection_sync.pending import serialize_pending
from morango_collection_sync.retries import until_settled
from morango_collection_sync.sessions import dataset_id_of


class KeepPendingEdits(LocalOperation):
    """On the client of a pull: stores every own edit of a collection, in the session's filter or not.

    Applying the deletion of a collection deletes the rows in it without a trace; a collection that was deleted is
    in nobody's grant any more, and so not in the filter that Morango serializes before it deserializes.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(not context.is_server)
        self._assert(context.is_receiver)
        sync_session = context.sync_session
        serialize_pending(sync_session.profile, dataset_id_of(sync_session.client_certificate))
        return False


class DeserializeUntilSettled(ReceiverDeserializeOperation):
    """On the hub: Morango's own operation, tried again when another session has written at the same time."""

    priority = TAKEOVER_PRIORITY

    def handle(self, context: LocalSessionContext) -> str:
        self._assert(context.is_server)
        self._assert(context.is_receiver)
        return until_settled(lambda: super(DeserializeUntilSettled, self).handle(context))
