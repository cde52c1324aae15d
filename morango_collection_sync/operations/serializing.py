"""Serializing, and the deserializing that serializes first: a record that was made again is not deleted."""

from __future__ import annotations

from morango.models.core import InstanceIDModel
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation, SerializeOperation

from morango_collection_sync.conf import OPERATION_PRIORITY, TAKEOVER_PRIORITY
from morango_collection_sync.deletions import forget_undone_deletions
from morango_collection_sync.instances import highest_counter, notice_put_back
from morango_collection_sync.pending import note_declared
from morango_collection_sync.retries import until_settled
from morango_collection_sync.verification.counters import parsed_counters


class KeepRecreated(LocalOperation):
    """On either side: forgets the deletion of records that are there again."""

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(context.sync_session is not None)
        forget_undone_deletions(context.sync_session.profile)
        return False


class NoticePutBack(LocalOperation):
    """On the hub: takes a new instance id when a device has seen later counters of this hub than it has reached.

    Below that, it notes what the device has of this hub, for the same case another time.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(context.is_server)
        declared = parsed_counters(context.request.data.get("client_fsic"))
        instance, _ = InstanceIDModel.get_or_create_current_instance()
        if not notice_put_back(highest_counter(declared, instance.id)):
            note_declared(context.filter, declared)
        return False


class SerializeUntilSettled(SerializeOperation):
    """On the hub: Morango's own operation, tried again when another session has written at the same time."""

    priority = TAKEOVER_PRIORITY

    def handle(self, context: LocalSessionContext) -> str:
        self._assert(context.is_server)
        return until_settled(lambda: super(SerializeUntilSettled, self).handle(context))
