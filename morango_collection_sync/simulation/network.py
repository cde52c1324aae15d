"""A network without sockets: requests reach another device's WSGI application in this process, or do not."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any
from unittest import mock
from urllib.parse import unquote_to_bytes, urlsplit

from morango.sync.session import ContextualRetryHTTPAdapter
from requests import PreparedRequest, Response
from requests.exceptions import ConnectionError as RequestLost
from urllib3 import HTTPHeaderDict, HTTPResponse

from morango_collection_sync.simulation.clock import Clock
from morango_collection_sync.simulation.device import Device, current_device
from morango_collection_sync.simulation.errors import ProcessKilled
from morango_collection_sync.simulation.faults import Faults, Kill, OperationRun, RequestFault
from morango_collection_sync.simulation.kills import killable_operations
from morango_collection_sync.simulation.server import DeviceApplication, WSGIApplication
from morango_collection_sync.simulation.trace import Event, Trace

DOMAIN = "simulation"

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


class Network:
    """Between ``with network:`` and its end, Morango's requests go over this network and nothing really sleeps.

    Certificates, signatures, the REST API and what is in the databases are real; only the sockets are not. It is
    for one thread.

    :param application: the WSGI application of every device; Django's, by its settings, when not given
    """

    def __init__(self, application: WSGIApplication | None = None) -> None:
        self.faults = Faults()
        """What goes wrong; put another one here at any time."""
        self.trace = Trace()
        """What has happened so far."""
        self.clock = Clock()
        self._application = application
        self._applications: dict[str, DeviceApplication] = {}
        self._late: list[tuple[DeviceApplication, PreparedRequest]] = []
        self._patches = ExitStack()

    def __enter__(self) -> Network:
        with ExitStack() as stack:
            adapter = type("SimulatedAdapter", (_Adapter,), {"network": self})
            stack.enter_context(mock.patch("morango.sync.session.ContextualRetryHTTPAdapter", adapter))
            # There is nobody between two devices, and whoever asks is known by a certificate: what requests reads of
            # that in the environment and in files, anew for each request, it is spared here.
            stack.enter_context(mock.patch("requests.sessions.get_environ_proxies", return_value={}))
            stack.enter_context(mock.patch("requests.sessions.get_netrc_auth", return_value=None))
            # Morango looks up the names and addresses of both ends to note them; here there are none.
            for looked_up in ("_get_server_ip", "_get_client_ip_for_server"):
                stack.enter_context(mock.patch(f"morango.sync.syncsession.{looked_up}", return_value="127.0.0.1"))
            stack.enter_context(self.clock.running())
            stack.enter_context(killable_operations(self._decide, self._note_kill))
            self._patches = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patches.close()

    def add(self, device: Device) -> str:
        """Put a device on the network, so that it answers.

        :return: its base URL, ``http://<name>.simulation/``
        :raises ValueError: when its name cannot be a host's
        """
        if not _HOST_NAME.fullmatch(device.name):
            raise ValueError(f"{device.name!r} cannot be a host's name: lower-case letters, digits and hyphens")
        host = f"{device.name}.{DOMAIN}"
        self._applications[host] = DeviceApplication(device, self._application)
        return f"http://{host}/"

    def remove(self, device: Device) -> None:
        """Take a device off the network: whoever asks it gets no connection."""
        self._applications.pop(f"{device.name}.{DOMAIN}", None)

    def deliver_late(self) -> None:
        """Let every delayed request arrive that is still under way."""
        while self._late:
            application, request = self._late.pop(0)
            self._note(request, self._deliver(application, request), "arrives late")

    def exchange(self, request: PreparedRequest, cut: set[str]) -> tuple[int, str, list[tuple[str, str]], bytes]:
        """Carry a request to the device that it is for, and its answer back.

        :param request: as ``requests`` has prepared it
        :param cut: the hosts that this connection does not reach any more
        :return: the answer's status, reason, headers and body
        :raises requests.exceptions.ConnectionError: when there is no answer
        """
        host = urlsplit(str(request.url)).hostname or ""
        application = self._applications.get(host)
        if application is None:
            raise RequestLost(f"nothing answers at {host}", request=request)
        if host in cut:
            self._note(request, None, RequestFault.CUT.value)
            raise RequestLost(f"the connection to {host} is cut", request=request)

        fault = self.faults.for_request()
        if fault is not None:
            self.faults.happened[fault] += 1
        if fault is RequestFault.CUT:
            cut.add(host)
        answer = None
        if fault not in (RequestFault.CUT, RequestFault.LOSE_REQUEST, RequestFault.DELAY):
            answer = self._deliver(application, request)
        self._note(request, answer, fault.value if fault else None)
        if fault is RequestFault.REPEAT:
            self._note(request, self._deliver(application, request), "arrives again")
        if fault is not RequestFault.DELAY:
            self.deliver_late()
        else:
            self._late.append((application, request))
        if answer is None or fault is RequestFault.LOSE_ANSWER:
            raise RequestLost(f"no answer from {host}", request=request)
        return answer

    def _deliver(
        self, application: DeviceApplication, request: PreparedRequest
    ) -> tuple[int, str, list[tuple[str, str]], bytes] | None:
        begun: list[tuple[int, str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            code, _, reason = status.partition(" ")
            begun[:] = [(int(code), reason, headers)]

        try:
            body = b"".join(application(_environ(request), start_response))
        except ProcessKilled:
            return None
        return (*begun[0], body)

    def _decide(self, run: OperationRun) -> Kill | None:
        # Asked here, not bound once: the faults may be others by now.
        return self.faults.for_operation(run)

    def _note_kill(self, device: Device, kill: Kill) -> None:
        self.faults.happened[kill.moment] += 1
        self.trace.add(Event(device.name, f"killed {kill.moment.value} {kill.run}"))

    def _note(self, request: PreparedRequest, answer: Any, fault: str | None) -> None:
        device = current_device()
        url = str(request.url)
        host = (urlsplit(url).hostname or "").partition(".")[0]
        what = f"{request.method} {host} {self.trace.shape(url)}"
        self.trace.add(Event(device.name if device else "", what, answer[0] if answer else None, fault))


class _Adapter(ContextualRetryHTTPAdapter):
    network: Network

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cut: set[str] = set()

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        status, reason, headers, body = self.network.exchange(request, self._cut)
        raw = HTTPResponse(
            body=io.BytesIO(body),
            headers=HTTPHeaderDict(headers),
            status=status,
            reason=reason,
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


def _environ(request: PreparedRequest) -> dict[str, Any]:
    parts = urlsplit(str(request.url))
    # Morango sends bytes or a string, never a stream.
    body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        # PEP 3333: bytes in the form of a string in latin-1.
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": parts.netloc,
        "CONTENT_LENGTH": str(len(body)),
        **dict(_header_variables(request)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _header_variables(request: PreparedRequest) -> Iterator[tuple[str, str]]:
    for name, value in request.headers.items():
        variable = name.upper().replace("-", "_")
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        yield (variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}", text)
