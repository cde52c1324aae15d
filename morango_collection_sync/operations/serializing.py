"""Serializing, and the deserializing that serializes first: a record that was made again is not deleted."""

from __future__ import annotations

from morango.models.core import DatabaseMaxCounter, InstanceIDModel
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY
from morango_collection_sync.deletions import forget_undone_deletions
from morango_collection_sync.instances import declared_counters, highest_counter, notice_put_back
from morango_collection_sync.models import ReleasedPartition, in_chunks
from morango_collection_sync.pending import note_declared


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
        declared = declared_counters(context.request.data.get("client_fsic"))
        instance, _ = InstanceIDModel.get_or_create_current_instance()
        if not notice_put_back(highest_counter(declared, instance.id)):
            note_declared(context.filter, declared)
        return False


class UnclaimReleased(LocalOperation):
    """On the client of a pull: claims nothing of a collection that was released and has not been pulled since.

    A push in between makes Morango note this device's own counter for each partition of the filter, as if all that
    this device ever wrote there were here; the hub would not send it again.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(not context.is_server)
        self._assert(context.is_receiver)
        for chunk in in_chunks(context.filter):
            released = ReleasedPartition.objects.filter(partition__in=chunk).values("partition")
            DatabaseMaxCounter.objects.filter(partition__in=released).delete()
        return False
