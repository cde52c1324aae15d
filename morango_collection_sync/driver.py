"""The client's side of a sync: one pull and one push for one certificate, without waiting for nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from morango.constants import transfer_statuses
from morango.errors import MorangoError, MorangoResumeSyncError
from morango.models.certificates import Certificate, Filter
from morango.models.core import SyncSession
from morango.registry import session_middleware
from morango.sync.controller import SessionController, SessionControllerSignals
from morango.sync.syncsession import NetworkSyncConnection, PullClient, PushClient, TransferClient
from requests import Response
from requests.exceptions import HTTPError, RequestException

from morango_collection_sync import conf
from morango_collection_sync.errors import CollectionSyncError, SyncDeadlineExceeded
from morango_collection_sync.refusals import SessionRefused
from morango_collection_sync.sessions import certificate_filter

logger = logging.getLogger(__name__)

ProgressCallback = Callable[..., None]
"""Called with ``transfer_session=`` when a transfer begins, after each chunk, and when it ends."""


@dataclass
class TransferReport:
    """What one pull or push did.

    :param push: the direction
    :param records: how many records were transferred
    :param partitions: the session's filter as it was in the end
    :param transfer_session_id: 32 hex digits
    """

    push: bool
    records: int
    partitions: tuple[str, ...]
    transfer_session_id: str


@dataclass
class SyncReport:
    """What one sync with one hub for one certificate did, and what it cost.

    :param transfers: the pull and the push, in the order in which they ran
    :param requests: HTTP requests
    :param bytes_received: headers and bodies of the answers, in bytes
    :param bytes_sent: headers and bodies of the requests, in bytes
    :param seconds: by the wall clock
    :param resumed: whether an interrupted session was taken up again
    """

    transfers: list[TransferReport] = field(default_factory=list)
    requests: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    seconds: float = 0.0
    resumed: bool = False

    def records(self, *, push: bool) -> int:
        """How many records went in this direction."""
        return sum(transfer.records for transfer in self.transfers if transfer.push is push)


class EagerController(SessionController):
    """Goes on at once while there is something to do.

    Morango's own controller sleeps after each half of each stage, although nothing is waited for
    (``morango.sync.controller.SessionController.proceed_to_and_wait_for``, 0.8.15). This one only pauses when a
    call has changed nothing, and gives up at a deadline.
    """

    first_pause = 0.05
    longest_pause = 2.0

    def proceed_to_and_wait_for(
        self,
        target_stage: str,
        context: Any = None,
        max_interval: float | None = None,
        callback: Callable[[], None] | None = None,
    ) -> str:
        """Proceed to a stage, and return the status in which that ended.

        :raises SyncDeadlineExceeded: when the stage is still pending after ``SESSION_DEADLINE`` seconds in
            which nothing moved
        """
        context = context or self.context
        deadline = conf.session_deadline()
        last_moved = time.monotonic()
        pause = self.first_pause
        while True:
            before = _position(context)
            result: str = self.proceed_to(target_stage, context=context)
            if callback is not None:
                callback()
            if result in transfer_statuses.FINISHED_STATES:
                return result
            now = time.monotonic()
            if _position(context) != before:
                last_moved, pause = now, self.first_pause
                continue
            if now - last_moved > deadline:
                raise SyncDeadlineExceeded(target_stage, deadline)
            time.sleep(pause)
            pause = min(pause * 2, max_interval or self.longest_pause)


def _position(context: Any) -> tuple[Any, ...]:
    """What changes whenever a context has moved: the half at work, its stage, and how much is transferred."""
    half = context.prepare()
    session = context.transfer_session
    return (
        type(half),
        half.stage,
        half.stage_status,
        context.stage,
        context.stage_status,
        session.records_transferred if session else None,
    )


class SyncDriver:
    """Syncs with one hub over one connection, for one certificate after another.

    :param connection: as :meth:`connect` makes it
    :param progress: called as transfers move
    """

    def __init__(self, connection: NetworkSyncConnection, progress: ProgressCallback | None = None) -> None:
        self.connection = connection
        self.progress = progress
        self._requests = 0
        connection.session.hooks["response"].append(self._count)

    @classmethod
    def connect(cls, base_url: str, progress: ProgressCallback | None = None, retries: int = 3) -> SyncDriver:
        """Open a connection to a hub.

        :param base_url: ``http://host:port/``
        :param retries: how often a request whose connection broke is sent again
        :raises requests.exceptions.RequestException: when nothing answers there
        """
        return cls(NetworkSyncConnection(base_url=base_url, retries=retries), progress)

    def sync(
        self,
        client_certificate: Certificate,
        server_certificate: Certificate,
        *,
        pull: bool = True,
        push: bool = True,
    ) -> SyncReport:
        """Pull, then push, what this certificate and the user's grants allow.

        A session that was interrupted is taken up where it stopped. One that cannot go on (the hub has forgotten
        it, or refuses it) is given up and a new one begun at once.

        :param client_certificate: one of this device's own
        :param server_certificate: the hub's, of the same dataset
        :raises SessionRefused: when the hub ends the session
        :raises FilterRefused: when the hub's filter is not one to take
        :raises SyncDeadlineExceeded: when the hub does not finish a stage in time
        :raises requests.exceptions.RequestException: when the connection is lost; the next sync resumes
        :raises morango.errors.MorangoError: when a stage fails in any other way
        """
        report = SyncReport()
        started = time.monotonic()
        requests, received, sent = self._requests, self.connection.bytes_received, self.connection.bytes_sent
        try:
            resumed = self._resumed_session(client_certificate)
            if resumed is None or not self._finish(resumed, report, pull=pull, push=push):
                report.resumed, report.transfers = False, []
                client = self.connection.create_sync_session(client_certificate, server_certificate)
                self._transfer_all(client.sync_session, report, pull=pull, push=push)
        finally:
            report.requests = self._requests - requests
            report.bytes_received = self.connection.bytes_received - received
            report.bytes_sent = self.connection.bytes_sent - sent
            report.seconds = time.monotonic() - started
        return report

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _resumed_session(self, client_certificate: Certificate) -> SyncSession | None:
        interrupted = (
            SyncSession.objects.filter(
                active=True,
                is_server=False,
                client_certificate=client_certificate,
                connection_path=self.connection.base_url,
            )
            .order_by("-last_activity_timestamp")
            .first()
        )
        if interrupted is None:
            return None
        try:
            return self.connection.resume_sync_session(interrupted.id).sync_session
        except MorangoResumeSyncError as error:
            if isinstance(error.__cause__, HTTPError):
                logger.info("Sync session %s is not known to the hub any more", interrupted.id)
                self._abandon(interrupted)
                return None
            raise

    def _finish(self, sync_session: SyncSession, report: SyncReport, *, pull: bool, push: bool) -> bool:
        """Whether an interrupted session could be brought to its end."""
        report.resumed = True
        try:
            self._transfer_all(sync_session, report, pull=pull, push=push)
        except (CollectionSyncError, MorangoError, RequestException) as error:
            if is_interruption(error):
                raise
            logger.info("Sync session %s cannot be resumed: %s", sync_session.id, error)
            return False
        return True

    def _transfer_all(self, sync_session: SyncSession, report: SyncReport, *, pull: bool, push: bool) -> None:
        try:
            if pull:
                report.transfers.append(self._transfer(PullClient, sync_session, push=False))
            if push:
                report.transfers.append(self._transfer(PushClient, sync_session, push=True))
        except (CollectionSyncError, MorangoError, RequestException) as error:
            if not is_interruption(error):
                self._abandon(sync_session)
            raise
        self.connection.close_sync_session(sync_session)

    def _transfer(self, client_class: type[TransferClient], sync_session: SyncSession, *, push: bool) -> TransferReport:
        controller = EagerController(session_middleware, SessionControllerSignals())
        client = client_class(self.connection, sync_session, controller)
        if self.progress is not None:
            client.signals.transferring.connect(self.progress)
        own_filter = Filter("\n".join(certificate_filter(sync_session.client_certificate, push=push)))
        try:
            client.initialize(own_filter)
            client.run()
            client.finalize()
        except MorangoError as error:
            raise told_by_hub(error) from error
        transfer_session = client.current_transfer_session
        return TransferReport(
            push=push,
            records=transfer_session.records_transferred,
            partitions=tuple(transfer_session.get_filter()),
            transfer_session_id=transfer_session.id,
        )

    def _abandon(self, sync_session: SyncSession) -> None:
        """Close what this device has of a session. The hub's side times out, or is closed already."""
        for transfer_session in sync_session.transfersession_set.filter(active=True):
            transfer_session.delete_buffers()
            transfer_session.active = False
            transfer_session.save(update_fields=["active"])
        sync_session.active = False
        sync_session.save(update_fields=["active"])

    def _count(self, response: Response, *args: Any, **kwargs: Any) -> None:
        self._requests += 1


def told_by_hub(error: Exception) -> Exception:
    """What lies behind the bare "stage failed" of Morango's client: a refusal that the hub has sent, ours, or itself.

    :param error: what a transfer client has raised
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (CollectionSyncError, RequestException)):
            return _refusal_in(cause) or cause
        cause = cause.__cause__
    return error


def is_interruption(error: Exception) -> bool:
    """Whether the session could go on from here another time: the connection broke, or the hub was too slow."""
    if isinstance(error, HTTPError):
        return error.response is not None and error.response.status_code >= 500
    return isinstance(error, (RequestException, SyncDeadlineExceeded))


def _refusal_in(error: BaseException) -> SessionRefused | None:
    if not isinstance(error, HTTPError) or error.response is None:
        return None
    try:
        data = error.response.json()
    except ValueError:
        return None
    if not isinstance(data, dict) or not {"code", "detail"} <= data.keys():
        return None
    return SessionRefused.from_json(data)
