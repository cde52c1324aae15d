"""The client's side of a sync: pulls and pushes with one hub, one certificate after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from morango.errors import MorangoError, MorangoResumeSyncError
from morango.models.certificates import Certificate, Filter
from morango.models.core import SyncSession
from morango.registry import session_middleware
from morango.sync.controller import SessionControllerSignals
from morango.sync.syncsession import NetworkSyncConnection, PullClient, PushClient
from requests import Response
from requests.exceptions import RequestException

from morango_collection_sync.controller import EagerController
from morango_collection_sync.errors import CollectionSyncError
from morango_collection_sync.failures import is_interruption, is_lost_connection, told_by_hub
from morango_collection_sync.pulls import outcome_of
from morango_collection_sync.reports import SyncReport, TransferReport
from morango_collection_sync.sessions import certificate_filter, close_transfer_session

logger = logging.getLogger(__name__)

ProgressCallback = Callable[..., None]
"""Called with ``transfer_session=`` when a transfer begins, after each chunk, and when it ends."""

_FAILURES = (CollectionSyncError, MorangoError, RequestException)


class SyncDriver:
    """Syncs with one hub over one connection, for one certificate after another. Leaving it closes the connection.

    :param connection: as :meth:`connect` makes it
    :param progress: called as transfers move
    """

    def __init__(self, connection: NetworkSyncConnection, progress: ProgressCallback | None = None) -> None:
        self.connection = connection
        self.progress = progress
        self._answers = 0
        connection.session.hooks["response"].append(self._count)

    @classmethod
    def connect(cls, base_url: str, progress: ProgressCallback | None = None, retries: int = 3) -> SyncDriver:
        """Open a connection to a hub.

        :param base_url: ``http://host:port/``
        :param retries: how often a request whose connection broke is sent again
        :raises requests.exceptions.RequestException: when nothing answers there
        """
        return cls(NetworkSyncConnection(base_url=base_url, retries=retries), progress)

    def __enter__(self) -> SyncDriver:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def sync(
        self,
        client_certificate: Certificate,
        server_certificate: Certificate,
        *,
        pull: bool = True,
        push: bool = True,
    ) -> SyncReport:
        """Pull, then push, what this certificate and the user's grants allow.

        A session that was interrupted is taken up where it stopped. Where that fails, although the hub answers, it
        is given up, and a new one begun at once.

        :param client_certificate: one of this device's own
        :param server_certificate: the hub's, of the same dataset
        :raises SessionRefused: when the hub ends the session
        :raises FilterRefused: when the hub's filter is not one to take
        :raises SyncDeadlineExceeded: when the hub does not finish a stage in time; the next sync resumes
        :raises requests.exceptions.RequestException: when the connection is lost; the next sync resumes
        :raises morango.errors.MorangoError: when a stage fails in any other way
        """
        directions = [is_push for is_push, wanted in ((False, pull), (True, push)) if wanted]
        with self._measured() as report:
            interrupted = self._interrupted_session(client_certificate)
            report.resumed = interrupted is not None and self._resume(interrupted, directions, report)
            if not report.resumed:
                self._begin(client_certificate, server_certificate, directions, report)
        return report

    def _interrupted_session(self, client_certificate: Certificate) -> SyncSession | None:
        last = (
            SyncSession.objects.filter(
                active=True,
                is_server=False,
                client_certificate=client_certificate,
                connection_path=self.connection.base_url,
            )
            .order_by("-last_activity_timestamp")
            .first()
        )
        if last is None:
            return None
        try:
            return self.connection.resume_sync_session(last.id).sync_session
        except MorangoResumeSyncError as error:
            logger.info("Sync session %s is not resumed: %s", last.id, error)
            # Without a cause it is another process, alive, that is at work on it: that one's to end.
            if error.__cause__ is not None:
                _give_up(last)
            return None

    def _resume(self, sync_session: SyncSession, directions: list[bool], report: SyncReport) -> bool:
        """Whether an interrupted session could be brought to its end."""
        try:
            self._run(sync_session, directions, report)
        except _FAILURES as error:
            if is_lost_connection(error):
                raise
            logger.info("Sync session %s is given up: %s", sync_session.id, type(error).__name__)
            _give_up(sync_session)
            return False
        # Of a transfer in a direction that was not asked for now, there may be something left.
        _give_up(sync_session)
        return True

    def _begin(
        self,
        client_certificate: Certificate,
        server_certificate: Certificate,
        directions: list[bool],
        report: SyncReport,
    ) -> None:
        sync_session = self.connection.create_sync_session(client_certificate, server_certificate).sync_session
        try:
            self._run(sync_session, directions, report)
        except _FAILURES as error:
            if not is_interruption(error):
                _give_up(sync_session)
            raise

    def _run(self, sync_session: SyncSession, directions: list[bool], report: SyncReport) -> None:
        for is_push in directions:
            report.transfers.append(self._transfer(sync_session, is_push))
            if report.transfers[-1].outcome.to_fetch_again:
                # Quarantine has taken edits out of a collection that stays: the hub's version has to come back.
                report.transfers.append(self._transfer(sync_session, is_push))
        self.connection.close_sync_session(sync_session)

    def _transfer(self, sync_session: SyncSession, is_push: bool) -> TransferReport:
        controller = EagerController(session_middleware, SessionControllerSignals())
        client = (PushClient if is_push else PullClient)(self.connection, sync_session, controller)
        if self.progress is not None:
            client.signals.transferring.connect(self.progress)
        try:
            client.initialize(Filter("\n".join(certificate_filter(sync_session.client_certificate, push=is_push))))
            client.run()
            client.finalize()
        except MorangoError as error:
            raise told_by_hub(error) from error
        transfer_session = client.current_transfer_session
        return TransferReport.of(transfer_session, outcome_of(transfer_session))

    @contextmanager
    def _measured(self) -> Iterator[SyncReport]:
        report = SyncReport()
        connection, started = self.connection, time.monotonic()
        answers, received, sent = self._answers, connection.bytes_received, connection.bytes_sent
        yield report
        report.requests = self._answers - answers
        report.bytes_received = connection.bytes_received - received
        report.bytes_sent = connection.bytes_sent - sent
        report.seconds = time.monotonic() - started

    def _count(self, response: Response, *args: Any, **kwargs: Any) -> None:
        self._answers += 1


def _give_up(sync_session: SyncSession) -> None:
    """Close what this device has of a session. The hub's side times out, or is closed already."""
    for transfer_session in sync_session.transfersession_set.filter(active=True):
        close_transfer_session(transfer_session)
    sync_session.active = False
    sync_session.save(update_fields=["active"])
