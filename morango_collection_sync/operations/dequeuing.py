"""Dequeuing: before the records of a pull are stored, what they say of this device itself."""

from __future__ import annotations

from django.db import transaction
from morango.models.core import InstanceIDModel
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY, TAKEOVER_PRIORITY
from morango_collection_sync.instances import notice_put_back, seen_in_pull
from morango_collection_sync.merges import take_received
from morango_collection_sync.pending import note_declared
from morango_collection_sync.receiving import store_received
from morango_collection_sync.verification.counters import parsed_counters


class NoticeOwnCounters(LocalOperation):
    """On the client of a pull: which of its own edits the hub has, and whether it has seen later ones than exist.

    It stands before anything is serialized for this pull: merging and deserializing are what serializes.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(not context.is_server)
        self._assert(context.is_receiver)
        instance, _ = InstanceIDModel.get_or_create_current_instance()
        notice_put_back(instance, seen_in_pull(instance, context.transfer_session))
        note_declared(context.filter, parsed_counters(context.transfer_session.server_fsic))
        return False


class StoreReceived(LocalOperation):
    """On the client of a pull: stores what has come. On a hub, ``StoreVerified`` does.

    Where nobody here may write, what the hub sends stands, and nothing is merged. In one transaction: what is here
    bears the stamp of what has come for as long as it takes to be replaced by it.
    """

    priority = TAKEOVER_PRIORITY

    def handle(self, context: LocalSessionContext) -> str:
        self._assert(context.is_receiver)
        self._assert(not context.is_server)
        with transaction.atomic():
            take_received(context.transfer_session)
            return store_received(context)
