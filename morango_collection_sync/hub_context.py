"""The hub's side of a transfer during one request, with fewer statements than Morango's own context takes for it."""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from morango.constants import transfer_stages, transfer_statuses
from morango.models.core import InstanceIDModel, TransferSession
from morango.sync.context import LocalSessionContext
from morango.utils import parse_capabilities_from_server_request
from rest_framework.request import Request

_CARRYING = (transfer_stages.TRANSFERRING, transfer_stages.DEQUEUING, transfer_stages.DESERIALIZING)

_ACTIVITY_IS_NOTED_AFTER = timedelta(minutes=1)
"""A sync session's last activity tells the ones that were left behind; that of its transfer sessions is exact."""


class HubContext(LocalSessionContext):
    """Keeps for the whole request what is read of the sync session, and notes where the transfer session is.

    Morango reads the sync session anew and writes it for each half of each stage, and with it goes all that was read
    of its certificates (``LocalSessionContext.update_state``, ``TransferSession.update_state``, 0.8.15).

    The end of a stage is noted together with the beginning of the next one, and that of the last one when the ``with``
    block of this context ends. A process that dies in between leaves a stage that has begun, which is run once more, as
    after a death at the end of the stage's last operation. A stage at which there is nothing to do is noted neither
    way.

    :ivar has_asked_policy: whether an operation has asked the policy in this request
    """

    __slots__ = ("_noted", "_own_instance", "has_asked_policy")

    def __init__(self, request: Request, **kwargs: Any) -> None:
        self.has_asked_policy = False
        self._noted: tuple[str | None, str | None] | None = None
        self._own_instance: InstanceIDModel | None = None
        super().__init__(request=request, **kwargs)

    @classmethod
    def from_request(cls, request: Request, **kwargs: Any) -> HubContext:
        """The context of a request, with what its client says that it is capable of."""
        return cls(request, capabilities=parse_capabilities_from_server_request(request), **kwargs)

    def __enter__(self) -> HubContext:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> None:
        if kind is None and self._noted is not None and self._noted != self._at():
            self._note(TransferSession.objects.filter(transfer_stage=self._noted[0]))

    def own_instance(self) -> InstanceIDModel:
        """This hub's present instance; its counter is that of the first time in the request."""
        if self._own_instance is None:
            self._own_instance, _ = InstanceIDModel.get_or_create_current_instance()
        return self._own_instance

    def forget_own_instance(self) -> None:
        """This hub has taken a new instance id."""
        self._own_instance = None

    def update(self, transfer_session: TransferSession | None = None, **kwargs: Any) -> None:
        """Take over what has changed, and keep the sync session that is here already."""
        known = self.sync_session
        if transfer_session is not None and known is not None and transfer_session.sync_session_id == known.id:
            transfer_session.sync_session = known
        super().update(transfer_session=transfer_session, **kwargs)

    def update_state(self, stage: str | None = None, stage_status: str | None = None) -> None:
        """Note a stage and its status with the transfer session, as it is in the database by now.

        That a stage has ended or failed is not noted where another request has left it behind meanwhile: it came too
        late.

        :raises ValueError: for a stage behind the one that the session has reached, or when the session has ended,
            unless the stage has ended or failed
        """
        if not self._has_transfer_session or (stage is None and stage_status is None):
            return
        session = self.transfer_session
        if self._noted is None:
            self._noted = self._at()
        if stage is None and stage_status == transfer_statuses.COMPLETED:
            self._come_to(stage, stage_status)
        elif stage is None and stage_status == transfer_statuses.ERRORED:
            self._come_to(stage, stage_status)
            self._note(self._unchanged())
        else:
            stage = stage or session.transfer_stage
            _require_open(session, stage)
            if stage_status == transfer_statuses.PENDING and self._begins_with_nothing_to_do(stage):
                self._come_to(stage, stage_status)
            else:
                self._go_on(stage, stage_status)

    def _begins_with_nothing_to_do(self, stage: str) -> bool:
        session = self.transfer_session
        return stage in _CARRYING and stage != session.transfer_stage and session.pull and session.records_total == 0

    def _go_on(self, stage: str, stage_status: str | None) -> None:
        """Note that a stage begins, or is not done yet, where the session is in the database what was noted of it.

        Where it is not, it is read anew: another request has come further, or was asked for the same.
        """
        session, sync_session = self.transfer_session, self.sync_session
        before = self._at()
        self._come_to(stage, stage_status)
        if self._note(self._unchanged().filter(active=True)):
            return
        self._come_to(*before)
        current = TransferSession.objects.only("active", "transfer_stage").get(pk=session.pk)
        _require_open(current, stage)
        session.refresh_from_db()
        session.sync_session = sync_session
        noted_stage, _ = self._noted = self._at()
        self._come_to(stage, stage_status)
        self._note(TransferSession.objects.filter(active=True, transfer_stage=noted_stage))

    def _at(self) -> tuple[str | None, str | None]:
        return self.transfer_session.transfer_stage, self.transfer_session.transfer_stage_status

    def _come_to(self, stage: str | None, stage_status: str | None) -> None:
        session = self.transfer_session
        session.transfer_stage = stage or session.transfer_stage
        session.transfer_stage_status = stage_status or session.transfer_stage_status

    def _unchanged(self) -> QuerySet:
        """The session, as long as it is in the database what was noted of it."""
        stage, status = self._noted or (None, None)
        return TransferSession.objects.filter(transfer_stage=stage, transfer_stage_status=status)

    def _note(self, sessions: QuerySet) -> bool:
        """Note the stage and its status with the session if it is among these; whether it is."""
        session, sync_session, now = self.transfer_session, self.sync_session, timezone.now()
        stage, status = self._at()
        changed = {"transfer_stage": stage, "transfer_stage_status": status, "last_activity_timestamp": now}
        if not sessions.filter(pk=session.pk).update(**changed):
            return False
        self._noted = (stage, status)
        session.last_activity_timestamp = now
        if abs(now - sync_session.last_activity_timestamp) > _ACTIVITY_IS_NOTED_AFTER:
            sync_session.last_activity_timestamp = now
            sync_session.save(update_fields=["last_activity_timestamp"])
        return True


def own_instance(context: LocalSessionContext) -> InstanceIDModel:
    """This side's present instance, which a hub reads once in a request."""
    if isinstance(context, HubContext):
        return context.own_instance()
    return InstanceIDModel.get_or_create_current_instance()[0]


def _require_open(session: TransferSession, stage: str) -> None:
    """:raises ValueError: when a session cannot come to this stage"""
    if not session.active:
        raise ValueError(f"the session has ended, and does not come to {stage}")
    reached = session.transfer_stage
    if reached and transfer_stages.stage(reached) > transfer_stages.stage(stage):
        raise ValueError(f"the session is at the stage {reached} already, and does not go back to {stage}")
