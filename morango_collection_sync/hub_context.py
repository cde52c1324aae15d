"""The hub's side of a transfer during one request, with fewer statements than Morango's own context takes for it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from morango.constants import transfer_stages
from morango.models.core import TransferSession
from morango.sync.context import LocalSessionContext
from morango.utils import parse_capabilities_from_server_request
from rest_framework.request import Request


class HubContext(LocalSessionContext):
    """Keeps the sync session and its certificates for the whole request, and notes its activity once.

    Morango reads the sync session anew and writes it for each half of each stage, and with it goes all that was read
    of its certificates (``LocalSessionContext.update_state``, ``TransferSession.update_state``, 0.8.15).
    """

    __slots__ = ("_has_noted_activity",)

    def __init__(self, request: Request, **kwargs: Any) -> None:
        self._has_noted_activity = False
        super().__init__(request=request, **kwargs)

    @classmethod
    def from_request(cls, request: Request, **kwargs: Any) -> HubContext:
        """The context of a request, with what its client says that it is capable of."""
        return cls(request, capabilities=parse_capabilities_from_server_request(request), **kwargs)

    def update_state(self, stage: str | None = None, stage_status: str | None = None) -> None:
        """Note a stage and its status with the transfer session, as it is in the database by now.

        A status of a stage that another request has left behind meanwhile is not noted: it came too late.

        :raises ValueError: for a stage behind the one that the session has reached, or when the session has ended
        """
        if not self._has_transfer_session or (stage is None and stage_status is None):
            return
        session, sync_session = self.transfer_session, self.sync_session
        session.sync_session = sync_session
        if stage is None or not self._begin(stage, stage_status):
            self._note(TransferSession.objects.filter(transfer_stage=session.transfer_stage), stage, stage_status)
        if not self._has_noted_activity:
            self._has_noted_activity = True
            sync_session.last_activity_timestamp = session.last_activity_timestamp
            sync_session.save(update_fields=["last_activity_timestamp"])

    def _begin(self, stage: str, stage_status: str | None) -> bool:
        """Note that a stage begins, where the session is in the database what it is here; whether it is.

        Where it is not, it is read anew: another process has come further, asked for the same again.
        """
        session, sync_session = self.transfer_session, self.sync_session
        _require_open(session, stage)
        unchanged = TransferSession.objects.filter(
            active=True,
            transfer_stage=session.transfer_stage,
            transfer_stage_status=session.transfer_stage_status,
        )
        if self._note(unchanged, stage, stage_status):
            return True
        session.refresh_from_db()
        session.sync_session = sync_session
        _require_open(session, stage)
        return False

    def _note(self, sessions: QuerySet, stage: str | None, stage_status: str | None) -> bool:
        """Note it here, and with the session if it is among these; whether it is."""
        session = self.transfer_session
        session.last_activity_timestamp = timezone.now()
        names = {"transfer_stage": stage, "transfer_stage_status": stage_status}
        changed = {name: value for name, value in names.items() if value is not None}
        noted = sessions.filter(pk=session.pk).update(
            **changed, last_activity_timestamp=session.last_activity_timestamp
        )
        for name, value in changed.items():
            setattr(session, name, value)
        return bool(noted)


def _require_open(session: TransferSession, stage: str) -> None:
    """:raises ValueError: when a session cannot come to this stage"""
    if not session.active:
        raise ValueError(f"the session has ended, and does not come to {stage}")
    reached = session.transfer_stage
    if reached and transfer_stages.stage(reached) > transfer_stages.stage(stage):
        raise ValueError(f"the session is at the stage {reached} already, and does not go back to {stage}")
