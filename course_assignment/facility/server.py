"""Answering sync sessions: the WSGI application on a production server."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Any

from waitress.server import create_server

from course_assignment.facility.errors import FacilityError
from course_assignment.facility.wsgi import application


class CannotServe(FacilityError):
    """The address to serve at cannot be had."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot serve at {host}:{port}: {reason}")


class Server:
    """A server that is bound to its address already.

    It has one thread. Morango keeps this device's instance with its counter in one object for the process
    (``InstanceIDModel._cached_instance``, 0.8.15), which two sessions at once would share; more sessions at a time
    want more processes, on PostgreSQL.

    :param host: the address to listen at
    :param port: the port; 0 for any free one
    :raises CannotServe: when it cannot be had
    """

    def __init__(self, host: str, port: int) -> None:
        try:
            if not host:
                raise UnicodeError
            # One address only, where a name has several: with port 0, each would get a port of its own.
            address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
            self._server: Any = create_server(
                application, host=address, port=port, threads=1, clear_untrusted_proxy_headers=True
            )
        except (OSError, UnicodeError) as error:
            raise CannotServe(host, port, getattr(error, "strerror", None) or "that is no address") from error
        self.url = f"http://{f'[{address}]' if ':' in address else address}:{self._server.effective_port}/"

    def run(self, ready: Callable[[], None]) -> None:
        """Answer until the process is asked to end.

        :param ready: called once the process ends in good order when it is asked to
        """
        for asked_to_end in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asked_to_end, _leave)
        ready()
        self._server.run()


def _leave(*args: object) -> None:
    raise SystemExit(0)
