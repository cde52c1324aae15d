"""What a sync asks of a hub, counted where it arrives, over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from cryptography.hazmat.primitives import serialization
from django.core.wsgi import get_wsgi_application

_ID = re.compile(r"/[0-9a-f]{32}/")


class Counting:
    """Django's WSGI application, which keeps what it is asked for.

    :ivar requests: method and address of each request, ids left out
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._application = get_wsgi_application()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = _ID.sub("/", environ["PATH_INFO"]).replace("/api/morango/v1/", "").strip("/")
        self.requests.append(f"{environ['REQUEST_METHOD']} {path}")
        return self._application(environ, start_response)  # type: ignore[no-any-return]

    def taken(self) -> list[str]:
        """The requests since the last call of this."""
        taken, self.requests = self.requests, []
        return taken


@contextmanager
def key_loads() -> Iterator[mock.Mock]:
    """Counts how often a private key is read, on either side: what is entered has ``call_count``."""
    real = serialization.load_pem_private_key
    with mock.patch.object(serialization, "load_pem_private_key", side_effect=real) as loads:
        yield loads
