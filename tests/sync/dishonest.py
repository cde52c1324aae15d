"""A hub that answers with another filter than the one that it holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application


class DishonestApplication:
    """Django's WSGI application, with the filter in the answers about new transfer sessions changed.

    :ivar change: from the honest list of partitions to what the client is told; anything that JSON can hold
    """

    def __init__(self) -> None:
        self.change: Callable[[list[str]], Any] = list
        self._honest = get_wsgi_application()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or not environ["PATH_INFO"].endswith("/transfersessions/"):
            return self._honest(environ, start_response)  # type: ignore[no-any-return]
        # To be read here, and not gzipped.
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        begun: list[Any] = []
        body = b"".join(self._honest(environ, lambda *answer: begun.append(answer)))
        answer = json.loads(body)
        if "filter" in answer:
            told = self.change(answer["filter"].split())
            answer["filter"] = "\n".join(told) if isinstance(told, list) else told
            body = json.dumps(answer).encode()
        status, headers = begun[0][:2]
        start_response(
            status, [(k, v) for k, v in headers if k != "Content-Length"] + [("Content-Length", str(len(body)))]
        )
        return [body]
