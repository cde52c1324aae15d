"""The client's side of a sync: pulls and pushes with one hub, one certificate after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Union

from morango.errors import MorangoError
from morango.models.certificates import Certificate, Filter
from morango.models.core import SyncSession
from morango.registry import session_middleware
from morango.sync.controller import SessionControllerSignals
from morango.sync.syncsession import NetworkSyncConnection, PullClient, PushClient
from requests import Response
from requests.exceptions import RequestException

from morango_collection_sync.connection import HubConnection
from morango_collection_sync.controller import EagerController
from morango_collection_sync.earlier_sessions import at_work_on, earlier_session, give_up, is_interrupted, keep
from morango_collection_sync.errors import CollectionSyncError
from morango_collection_sync.failures import is_interruption, is_lost_connection, is_session_unknown, told_by_hub
from morango_collection_sync.hub_stages import HubHalf
from morango_collection_sync.pulls import outcome_of
from morango_collection_sync.reports import SyncReport, TransferReport
from morango_collection_sync.sessions import certificate_filter, client_certificate_of

logger = logging.getLogger(__name__)

ProgressCallback = Callable[..., None]
"""Called with ``transfer_session=`` when a transfer begins, after each chunk, and when it ends."""

CertificateOfHub = Union[Certificate, Callable[[], Certificate]]
"""A hub's certificate, or what asks for it: called only where a new session needs it."""

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
    def connect(
        cls,
        base_url: str,
        progress: ProgressCallback | None = None,
        retries: int = 3,
        first_retries: int | None = None,
    ) -> SyncDriver:
        """Open a connection to a hub.

        :param base_url: ``http://host:port/``
        :param retries: how often a request whose connection broke is sent again
        :param first_retries: the same for the first one, which asks who is there; as ``retries`` when not given
        :raises NoAnswer: when nothing answers there
        :raises requests.exceptions.RequestException: when what answers there does not sync
        """
        return cls(HubConnection(base_url, retries, first_retries), progress)

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
        server_certificate: CertificateOfHub,
        *,
        pull: bool = True,
        push: bool = True,
    ) -> SyncReport:
        """Pull, then push, what this certificate and the user's grants allow.

        The sync session stays open, and the next sync goes on with it. So does one that was interrupted; where that
        fails, although the hub answers, it is given up, and a new one begun at once.

        :param client_certificate: one of this device's own
        :param server_certificate: the hub's, of the same dataset
        :raises SessionRefused: when the hub ends the session
        :raises FilterRefused: when the hub's filter is not one to take
        :raises SyncDeadlineExceeded: when the hub does not finish a stage in time; the next sync resumes
        :raises NoAnswer: when the connection is lost, or an answer does not come in time; the next sync resumes
        :raises requests.exceptions.HTTPError: when the hub answers with an error
        :raises morango.errors.MorangoError: when a stage fails in any other way
        """
        directions = [is_push for is_push, wanted in ((False, pull), (True, push)) if wanted]
        with self._measured() as report, earlier_session(client_certificate, self.connection) as earlier:
            if earlier is None or not self._go_on(earlier, directions, report):
                self._begin(client_certificate, server_certificate, directions, report)
        return report

    def _go_on(self, sync_session: SyncSession, directions: list[bool], report: SyncReport) -> bool:
        """Whether an earlier session could be brought to its end."""
        interrupted = is_interrupted(sync_session)
        try:
            self._run(sync_session, directions, report)
        except _FAILURES as error:
            if is_lost_connection(error):
                raise
            if not interrupted and not is_session_unknown(error):
                self._end_after(error, sync_session)
                raise
            logger.info("Sync session %s is given up: %s", sync_session.id, type(error).__name__)
            give_up(sync_session, self.connection)
            return False
        report.resumed, report.same_session = interrupted, True
        if is_interrupted(sync_session):
            # Of a transfer in a direction that was not asked for now.
            give_up(sync_session, self.connection)
        return True

    def _begin(
        self,
        client_certificate: Certificate,
        server_certificate: CertificateOfHub,
        directions: list[bool],
        report: SyncReport,
    ) -> None:
        if not isinstance(server_certificate, Certificate):
            self.connection.waiting_for = "the hub's certificate"
            server_certificate = server_certificate()
        self.connection.waiting_for = "a sync session to be opened"
        sync_session = self.connection.create_sync_session(client_certificate, server_certificate).sync_session
        with at_work_on(sync_session):
            try:
                self._run(sync_session, directions, report)
            except _FAILURES as error:
                self._end_after(error, sync_session)
                raise

    def _end_after(self, error: Exception, sync_session: SyncSession) -> None:
        if not is_interruption(error):
            give_up(sync_session, self.connection)

    def _run(self, sync_session: SyncSession, directions: list[bool], report: SyncReport) -> None:
        for is_push in directions:
            report.transfers.append(self._transfer(sync_session, is_push))
            if report.transfers[-1].outcome.to_fetch_again:
                # Quarantine has taken edits out of a collection that stays: the hub's version has to come back.
                report.transfers.append(self._transfer(sync_session, is_push))
        keep(sync_session)

    def _transfer(self, sync_session: SyncSession, is_push: bool) -> TransferReport:
        hub = HubHalf()
        controller = EagerController(hub.stages(session_middleware), SessionControllerSignals())
        client = (PushClient if is_push else PullClient)(self.connection, sync_session, controller)
        if self.progress is not None:
            client.signals.transferring.connect(self.progress)
        try:
            client.initialize(Filter("\n".join(certificate_filter(client_certificate_of(sync_session), push=is_push))))
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
