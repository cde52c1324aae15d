"""Deserializing a pull on a device: first this device's own edits are kept from going with what is deleted."""

from __future__ import annotations

from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY
from morango_collection_sync.pending import serialize_pending
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
