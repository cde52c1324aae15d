"""Serializing: what was edited, and how far this side has come."""

from __future__ import annotations

import json

from morango.constants import transfer_statuses
from morango.constants.capabilities import FSIC_V2_FORMAT
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation, SerializeOperation
from morango.utils import SETTINGS

from morango_collection_sync.conf import OPERATION_PRIORITY, TAKEOVER_PRIORITY
from morango_collection_sync.edits import serialize_edits
from morango_collection_sync.holdings import counters_of, cover_own_records
from morango_collection_sync.hub_context import HubContext, own_instance
from morango_collection_sync.instances import highest_counter, notice_put_back
from morango_collection_sync.pending import note_declared
from morango_collection_sync.sessions import understands_grants
from morango_collection_sync.verification.counters import parsed_counters


class NoticePutBack(LocalOperation):
    """On the hub: takes a new instance id when a device has seen later counters of this hub than it has reached.

    Below that, it notes what the device has of this hub, for the same case another time.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(context.is_server)
        declared = parsed_counters(context.request.data.get("client_fsic"))
        instance = own_instance(context)
        if not notice_put_back(instance, highest_counter(declared, instance.id)):
            note_declared(context.filter, declared)
        elif isinstance(context, HubContext):
            context.forget_own_instance()
        return False


class SerializeEdits(SerializeOperation):
    """On either side: serializes what was edited, if anything was, and says how far this side has come.

    A peer that knows only the older form of counters has them from Morango's own operation.
    """

    priority = TAKEOVER_PRIORITY

    def handle(self, context: LocalSessionContext) -> str:
        self._assert(context.sync_session is not None)
        self._assert(context.filter is not None)
        serializes = context.is_producer and SETTINGS.MORANGO_SERIALIZE_BEFORE_QUEUING
        if serializes:
            serialize_edits(context.sync_session.profile, context.filter)
        if FSIC_V2_FORMAT not in context.capabilities:
            return super().handle(context)
        if serializes:
            instance_id = own_instance(context).id
            counters = cover_own_records(context.filter, instance_id, each_partition=not _reads_all(context))
        else:
            counters = counters_of(context.filter, is_producer=context.is_producer)
        _note(context, json.dumps(counters))
        return transfer_statuses.COMPLETED


def _reads_all(context: LocalSessionContext) -> bool:
    """Whether the other side believes counters also of what lies above a partition, as this extension does."""
    session = context.sync_session
    return understands_grants(session.client_instance_data if context.is_server else session.server_instance_data)


def _note(context: LocalSessionContext, counters: str) -> None:
    session = context.transfer_session
    if not context.is_server:
        session.client_fsic = counters
        session.save(update_fields=["client_fsic"])
        return
    session.server_fsic, session.client_fsic = counters, context.request.data.get("client_fsic", "{}")
    session.save(update_fields=["server_fsic", "client_fsic"])
