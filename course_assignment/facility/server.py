"""Answering sync sessions: the WSGI application on a production server."""

from __future__ import annotations

import signal
from typing import Any

from waitress.server import create_server

from course_assignment.facility.errors import FacilityError
from course_assignment.facility.wsgi import application


class AddressInUse(FacilityError):
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
    :raises AddressInUse: when it cannot be had
    """

    def __init__(self, host: str, port: int) -> None:
        try:
            self._server: Any = create_server(
                application, host=host, port=port, threads=1, clear_untrusted_proxy_headers=True
            )
        except OSError as error:
            raise AddressInUse(host, port, error.strerror or str(error)) from error
        self.url = f"http://{host}:{self._server.effective_port}/"

    def run(self) -> None:
        """Answer until the process is asked to end."""
        signal.signal(signal.SIGTERM, _leave)
        self._server.run()


def _leave(*args: object) -> None:
    raise SystemExit(0)
