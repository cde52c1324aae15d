"""A device that answers real HTTP on this machine, in a thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any

import waitress
from django.core.wsgi import get_wsgi_application

from morango_collection_sync.simulation.device import Device

WSGIApplication = Any
"""A callable as PEP 3333 has it."""


class DeviceApplication:
    """A device's WSGI application: this process is the device from a request's first byte to its answer's last.

    :param device: who answers
    :param application: the host's; Django's, by its settings, when not given
    """

    def __init__(self, device: Device, application: WSGIApplication | None = None) -> None:
        self.device = device
        self.application = application if application is not None else get_wsgi_application()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self.device:
            answer = self.application(environ, start_response)
            try:
                return list(answer)
            finally:
                if hasattr(answer, "close"):
                    answer.close()


class DeviceServer:
    """Serves a device on a port of its own of the loopback interface, one request at a time.

    While a request is answered, the process is that device, and whoever sent it must be waiting for the answer.

    :param device: who answers
    :param application: as in :class:`DeviceApplication`
    """

    def __init__(self, device: Device, application: WSGIApplication | None = None) -> None:
        self.device = device
        # A map of its own: by default all servers of a process share one, and one that stops would stop them all.
        self._channels: dict[int, Any] = {}
        self._server = waitress.create_server(
            DeviceApplication(device, application),
            map=self._channels,
            host="127.0.0.1",
            port=0,
            threads=1,
        )
        self._thread = threading.Thread(target=self._server.run, name=f"server of {device.name}", daemon=True)

    @property
    def base_url(self) -> str:
        """``http://127.0.0.1:<port>/``"""
        return f"http://127.0.0.1:{self._server.effective_port}/"

    def __enter__(self) -> DeviceServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port and every connection, and wait until the threads have ended. Doing it twice is no harm."""
        if self._thread.is_alive():
            # Waitress's loop ends when it has nothing left to wait for, and only its own thread may see to that.
            with suppress(OSError):
                # An earlier request's signal may already have run it, and closed what this one would write to.
                self._server.trigger.pull_trigger(self._close_all)
            self._thread.join()
            self._server.task_dispatcher.shutdown()

    def _close_all(self) -> None:
        for channel in list(self._channels.values()):
            channel.close()
