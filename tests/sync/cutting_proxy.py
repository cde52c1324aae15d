"""A proxy between a device and its hub that loses the connection at a certain request."""

from __future__ import annotations

import http.client
import threading
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


class Lost(Enum):
    """What gets lost with the connection."""

    REQUEST = "request"
    """The hub never sees it."""
    ANSWER = "answer"
    """The hub has done what it was asked, and the device does not hear so."""
    TIME = "time"
    """The hub never sees it, and the connection stays open, so that the device has to give up by itself."""


class CuttingProxy:
    """Forwards requests to a hub until one at which it loses the connection, and from then on all others.

    :param hub_url: ``http://host:port/``
    """

    def __init__(self, hub_url: str) -> None:
        self._hub = urlsplit(hub_url).netloc
        self._cut_at: int | None = None
        self._lost = Lost.REQUEST
        self._given_up = threading.Event()
        self.requests: list[str] = []
        """Method and path of what was forwarded since the last call of :meth:`cut` or :meth:`heal`."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = proxy._exchange(self.command, self.path, body, dict(self.headers.items()))
                if answer is None:
                    self.close_connection = True
                    return
                response, content = answer
                self.send_response_only(response.status, response.reason)
                for name, value in response.getheaders():
                    if name.lower() not in _HOP_BY_HOP | {"content-length"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> CuttingProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._given_up.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def cut(self, at: int, lost: Lost) -> None:
        """Lose the connection at this request, counted from 1 and from now."""
        self.requests = []
        self._given_up.clear()
        self._cut_at, self._lost = at, lost

    def heal(self) -> None:
        """Let everything through."""
        self.requests = []
        self._given_up.set()
        self._cut_at = None

    def _exchange(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes] | None:
        self.requests.append(f"{method} {urlsplit(path).path}")
        number = len(self.requests)
        cut_at = self._cut_at
        if number == cut_at and self._lost is Lost.TIME:
            self._given_up.wait()
        if cut_at is not None and (number > cut_at or (number == cut_at and self._lost is not Lost.ANSWER)):
            return None
        connection = http.client.HTTPConnection(self._hub)
        try:
            connection.request(method, path, body, {**headers, "Connection": "close"})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        return None if number == cut_at else (response, content)
