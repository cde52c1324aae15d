"""Deserializing a pull on a device: first this device's own edits are kept from going with what is deleted."""

from __future__ import annotations

from morango.constants import transfer_statuses
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation
from morango.utils import SETTINGS

from morango_collection_sync.applying import apply_stored
from morango_collection_sync.conf import OPERATION_PRIORITY, TAKEOVER_PRIORITY
from morango_collection_sync.pending import serialize_pending
from morango_collection_sync.sessions import client_certificate_of, dataset_id_of


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
        serialize_pending(sync_session.profile, dataset_id_of(client_certificate_of(sync_session)))
        return False


class ApplyReceived(LocalOperation):
    """On the side that receives: applies what has come, for a filter of any length."""

    priority = TAKEOVER_PRIORITY

    def handle(self, context: LocalSessionContext) -> str:
        self._assert(context.is_receiver)
        self._assert(context.transfer_session is not None)
        if SETTINGS.MORANGO_DESERIALIZE_AFTER_DEQUEUING and context.transfer_session.records_transferred:
            apply_stored(context.sync_session.profile, context.filter)
        return transfer_statuses.COMPLETED
