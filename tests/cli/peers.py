"""Things that answer at an address and are no hub, each on a port of its own of the loopback interface."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def answering(status: int = 404, body: bytes = b"no", *, location: str | None = None) -> Iterator[str]:
    """An HTTP server that answers every request like this.

    :param location: where it sends to, for the first path of a redirect
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            redirects = location is not None and self.path != location
            self.send_response(302 if redirects else status)
            if redirects:
                self.send_header("Location", str(location))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Listener:
    """Takes connections and says nothing, until it is told to close them."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/"

    def wait_for_a_connection(self) -> None:
        """Return once somebody has connected."""
        self._socket.settimeout(60)
        connection, _ = self._socket.accept()
        self._connections.append(connection)

    def close(self) -> None:
        """Break every connection, and take no more."""
        for connection in self._connections:
            connection.close()
        self._socket.close()


@contextmanager
def listening() -> Iterator[Listener]:
    """A :class:`Listener`, closed in the end."""
    with closing(Listener()) as listener:
        yield listener


@contextmanager
def speaking(first_bytes: bytes = b"220 mail.example ESMTP\r\n") -> Iterator[str]:
    """Something that is no HTTP server: says these bytes to whoever connects, and hangs up."""
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        # Ends when the socket is shut down below.
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with closing(connection):
                    connection.sendall(first_bytes)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


@contextmanager
def nothing() -> Iterator[str]:
    """A port at which nothing listens: bound by us, so that nobody else can have it meanwhile."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
