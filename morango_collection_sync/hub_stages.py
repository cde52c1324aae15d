"""What a client asks of a hub at each stage of a transfer: no more often than something stands between.

Morango's own operations ask before each stage where the hub is, and bring it forward by one stage. But a hub that is
asked for a stage runs all that are due before it, says in its answer where it is then, and runs what remains when the
transfer session is closed (``morango.sync.controller.SessionController.proceed_to``,
``morango.api.viewsets.TransferSessionViewSet``, 0.8.15).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from morango.constants import transfer_stages, transfer_statuses
from morango.constants.capabilities import ASYNC_OPERATIONS
from morango.errors import MorangoResumeSyncError
from morango.registry import SessionMiddlewareOperations
from morango.sync.context import NetworkSessionContext, SessionContext
from morango.sync.operations import NetworkOperation
from morango.sync.utils import validate_and_create_buffer_data

_stage = transfer_stages.stage


class ClientStage:
    """One stage of a transfer on a client, as Morango's controller takes it.

    :param operations: what the settings have run at this stage
    :param hub: the hub's half of the transfer
    :ivar related_stage: the stage's name
    """

    def __init__(self, operations: SessionMiddlewareOperations, hub: HubHalf) -> None:
        self.related_stage: str = operations.related_stage
        self._operations = operations
        self._ask_hub = hub.requests.get(self.related_stage)

    def __call__(self, context: SessionContext) -> str:
        status: str
        if not isinstance(context, NetworkSessionContext):
            status = self._operations(context)
            return status
        context.connection.waiting_for = f"the stage '{self.related_stage}'"
        if self._ask_hub is not None and ASYNC_OPERATIONS in context.capabilities:
            handled = self._ask_hub(context)
            if handled is not None:
                return handled
        status = self._operations(context)
        return status


class HubHalf(NetworkOperation):
    """The hub's half of one transfer. Each stage that is not here is asked for by the operations of the settings."""

    def __init__(self) -> None:
        self.requests: dict[str, Callable[[NetworkSessionContext], str | None]] = {
            transfer_stages.SERIALIZING: self._serialize,
            transfer_stages.QUEUING: self._queue,
            transfer_stages.TRANSFERRING: self._transfer,
            transfer_stages.DEQUEUING: lambda context: transfer_statuses.COMPLETED,
            transfer_stages.DESERIALIZING: self._store,
        }

    def stages(self, middleware: Iterable[SessionMiddlewareOperations]) -> list[ClientStage]:
        """All stages of the transfer, in Morango's order."""
        return [ClientStage(operations, self) for operations in middleware]

    def _serialize(self, context: NetworkSessionContext) -> str:
        session = context.transfer_session
        # Before it can be told how many records come to it, a hub has to say what it has. One that is pulled from can
        # queue at once.
        stage = transfer_stages.SERIALIZING if session.push else transfer_stages.QUEUING
        status, data = self._bring_to(context, stage, client_fsic=session.client_fsic)
        if status == transfer_statuses.COMPLETED:
            session.server_fsic = data.get("server_fsic") or "{}"
            session.save(update_fields=["server_fsic"])
            if session.pull:
                self._note_queued(context, data)
        return status

    def _queue(self, context: NetworkSessionContext) -> str:
        session = context.transfer_session
        if session.push:
            return self._bring_to(context, transfer_stages.QUEUING, records_total=session.records_total)[0]
        if session.records_total is not None:
            return str(transfer_statuses.COMPLETED)
        # Taken up from a client that asked stage by stage.
        status, data = self._bring_to(context, transfer_stages.QUEUING)
        if status == transfer_statuses.COMPLETED:
            self._note_queued(context, data)
        return status

    def _transfer(self, context: NetworkSessionContext) -> str | None:
        session = context.transfer_session
        if session.push:
            # All is there already when a session is taken up whose last chunk arrived before it was interrupted.
            return transfer_statuses.COMPLETED if session.records_transferred >= session.records_total else None
        if session.records_transferred < session.records_total:
            rows = self.get_buffers(context)
            validate_and_create_buffer_data(rows, session, connection=context.connection)
            if session.records_transferred < session.records_total:
                return str(transfer_statuses.PENDING)
        if session.records_total == 0:
            return str(transfer_statuses.COMPLETED)
        return self._bring_to(
            context,
            transfer_stages.TRANSFERRING,
            records_transferred=session.records_transferred,
            # Each is the other one from the hub's side.
            bytes_received=session.bytes_sent,
            bytes_sent=session.bytes_received,
        )[0]

    def _store(self, context: NetworkSessionContext) -> str:
        # With nothing to store, closing the session does the rest.
        if context.transfer_session.pull or context.transfer_session.records_total == 0:
            return str(transfer_statuses.COMPLETED)
        return self._bring_to(context, transfer_stages.DESERIALIZING)[0]

    def _note_queued(self, context: NetworkSessionContext, data: Any) -> None:
        context.transfer_session.records_total = data.get("records_total") or 0
        context.transfer_session.save(update_fields=["records_total"])

    def _bring_to(self, context: NetworkSessionContext, stage: str, **data: Any) -> tuple[str, dict[str, Any]]:
        """Ask the hub for a stage. It does nothing where it has that behind it, so that asking again is no harm.

        :return: how far the hub has come with that stage, and its answer
        """
        answer = self.update_transfer_session(context, transfer_stage=stage, **data)
        reached, status = answer.get("transfer_stage"), answer.get("transfer_stage_status")
        if not reached or not status:
            raise MorangoResumeSyncError(f"the hub does not say how far it is with the stage '{stage}'")
        if status == transfer_statuses.ERRORED:
            return status, answer
        if _stage(reached) > _stage(stage):
            return transfer_statuses.COMPLETED, answer
        if _stage(reached) < _stage(stage) or status in transfer_statuses.IN_PROGRESS_STATES:
            return transfer_statuses.PENDING, answer
        return status, answer
