"""A forwarding HTTP proxy between two devices that lets a test step in at a request."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}


class Cut(Exception):
    """Raised by a test's callback: the connection breaks before the request has reached the server."""


class Answer(NamedTuple):
    """A request that the server has answered, and how."""

    method: str
    path: str
    status: int
    content: bytes


class Proxy:
    """Forwards every request to one server on this machine.

    :param target: its base URL
    :param before: called with the method and the path of each request before it is forwarded; may raise
        :class:`Cut`. One request at a time.
    :ivar answers: what was answered so far, in its order
    """

    def __init__(self, target: str, before: Callable[[str, str], None]) -> None:
        self._target = urlsplit(target)
        self._before = before
        self._lock = threading.Lock()
        self.answers: list[Answer] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy._forward(self)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, *args: object) -> None:
                """Nothing: pytest shows the test's own output."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The base URL to give to the client."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _forward(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        with self._lock:
            try:
                self._before(request.command, request.path)
            except Cut:
                request.close_connection = True
                request.connection.close()
                return
            connection = http.client.HTTPConnection(self._target.hostname or "", self._target.port, timeout=120)
            try:
                headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
                headers["Host"] = request.headers["Host"]
                # To be read by tests, and not gzipped.
                headers.pop("Accept-Encoding", None)
                connection.request(request.command, request.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
        self.answers.append(Answer(request.command, request.path, answer.status, content))
        request.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
