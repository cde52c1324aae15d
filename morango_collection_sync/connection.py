"""A connection to a hub on which no request waits for ever, and what fails says what it was for."""

from __future__ import annotations

from typing import Any

from morango.sync.syncsession import NetworkSyncConnection
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    ConnectTimeout,
    ContentDecodingError,
    RetryError,
    Timeout,
)
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.retry import Retry

from morango_collection_sync import conf
from morango_collection_sync.errors import NoAnswer

FIRST_ANSWER = 20.0
"""Seconds that what answers at an address has to say what it is."""

_BACKOFF = 0.3
"""As Morango's (``NetworkSyncConnection``, 0.8.15): the pauses between tries are 0.6, 1.2, 2.4 seconds."""

_BROKEN = (ConnectionError, ChunkedEncodingError, ContentDecodingError, RetryError)

BRIEF_ANSWERS = "Collection-Sync-Answer"
"""The header in which a client asks for answers without what it knows already. Who does not know it answers in full."""


class HubConnection(NetworkSyncConnection):
    """A connection to a hub.

    :ivar waiting_for: what the next request is for, as the end of a sentence
    :param base_url: ``http://host:port/``
    :param retries: how often a request whose connection broke is sent again. One that is not answered in time is not:
        the hub may still be at work on it.
    :param first_retries: the same for the first request, which asks who is there; as ``retries`` when not given
    :raises NoAnswer: when nothing answers there
    """

    def __init__(self, base_url: str, retries: int, first_retries: int | None = None) -> None:
        self.waiting_for = "the hub to say what it is"
        self._first_retries = retries if first_retries is None else first_retries
        super().__init__(base_url=base_url, retries=retries, backoff_factor=_BACKOFF)
        self.waiting_for = "an answer"
        self.session.begin(_PatientRetry(total=retries, backoff_factor=_BACKOFF, allowed_methods=None))

    @property
    def session(self) -> _Session:
        """What the requests are sent with: Morango's session, every request of which has a time limit here."""
        return self._session

    @session.setter
    def session(self, session: Any) -> None:
        session.max_retries = _PatientRetry(total=self._first_retries, backoff_factor=_BACKOFF, allowed_methods=None)
        session.headers[BRIEF_ANSWERS] = "brief"
        self._session = _Session(session, self)


class _Session:
    """Morango's session, with a time limit and errors that say what was waited for."""

    def __init__(self, session: Any, connection: HubConnection) -> None:
        self._session = session
        self._connection = connection
        connect, _ = conf.request_timeouts()
        self._timeouts = (connect, FIRST_ANSWER)

    def begin(self, retries: Retry) -> None:
        """From here on requests are those of sessions, and may take their time."""
        self._session.max_retries = retries
        self._timeouts = conf.request_timeouts()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get(self, url: str, **options: Any) -> Any:
        return self._request("GET", url, options)

    def post(self, url: str, **options: Any) -> Any:
        return self._request("POST", url, options)

    def patch(self, url: str, **options: Any) -> Any:
        return self._request("PATCH", url, options)

    def delete(self, url: str, **options: Any) -> Any:
        return self._request("DELETE", url, options)

    def _request(self, method: str, url: str, options: dict[str, Any]) -> Any:
        options.setdefault("timeout", self._timeouts)
        try:
            return self._session.request(method, url, **options)
        except Timeout as error:
            raise NoAnswer(self._connection.waiting_for, _seconds(error, options["timeout"])) from error
        except _BROKEN as error:
            raise NoAnswer(self._connection.waiting_for) from error


class _PatientRetry(Retry):
    """Sends again what got lost, and never what the other side may still be at work on."""

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, error: Any = None, *rest: Any, **others: Any
    ) -> _PatientRetry:
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, *rest, **others)


def _seconds(error: Timeout, timeouts: Any) -> float:
    connect, read = timeouts if isinstance(timeouts, tuple) else (timeouts, timeouts)
    return float(connect if isinstance(error, ConnectTimeout) else read)
