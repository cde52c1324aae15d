"""Cleanup: what follows from a completed pull or push on the device that asked for it."""

from __future__ import annotations

from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY
from morango_collection_sync.pending import note_pushed
from morango_collection_sync.pulls import finish_pull


class FinishPull(LocalOperation):
    """On the client, at the end of a pull: applies what waits, releases what may not stay, offers edits back."""

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(not context.is_server)
        self._assert(context.is_receiver)
        finish_pull(context.transfer_session)
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
        return False
