"""The bodies of sync requests are bounded, where Morango's own views would take any.

On the embedded host parsers of ours do this, and on a hub with our settings. Kolibri takes neither middleware nor views
ahead of Morango's from a plugin, so here it is Django's signal that a request has begun, which hands over the request's
environment: the stream of the body is replaced by one that reads no more than the limit.
"""

from __future__ import annotations

import zlib
from gzip import GzipFile
from io import BytesIO
from typing import Any, BinaryIO

from morango_collection_sync import conf
from morango_collection_sync.bad_requests import BadRequest, BodyTooLarge
from morango_collection_sync.parsers import BoundedGzipParser


class BoundedBody:
    """A body that is read as a whole, once it is asked for, or not at all.

    :param stream: the body as it comes
    :param length: how many bytes of it there are
    :param packed: whether it is gzipped
    """

    def __init__(self, stream: BinaryIO, length: int, *, packed: bool) -> None:
        self._stream = stream
        self._length = length
        self._packed = packed
        self._body: BytesIO | None = None

    def read(self, size: int = -1) -> bytes:
        """As any stream does; Django reads in no other way.

        :raises BodyTooLarge: beyond ``MAX_BODY_BYTES``, unpacked
        :raises BadRequest: for what is cut short, or is no gzip
        """
        if self._body is None:
            limit = conf.max_body_bytes()
            if self._length > limit:
                raise BodyTooLarge(limit)
            body = self._stream.read(self._length)
            if self._packed and _is_longer_unpacked(body, limit):
                raise BodyTooLarge(limit)
            self._body = BytesIO(body)
        return self._body.read(size)


def _is_longer_unpacked(body: bytes, limit: int) -> bool:
    # As Morango unpacks it (``GzipParser``, 0.8.15), however many parts there are, but for the end.
    try:
        with GzipFile(fileobj=BytesIO(body)) as packed:
            return len(packed.read(limit + 1)) > limit
    except (OSError, EOFError, zlib.error):
        raise BadRequest("the body is not gzip, or cut short") from None


def bound_body(sender: object, environ: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Bound the body of a request to one of Morango's addresses.

    :param environ: of the request, as WSGI (PEP 3333) has it
    """
    if environ is None or "/api/morango/" not in environ.get("PATH_INFO", ""):
        return
    length = environ.get("CONTENT_LENGTH") or ""
    # Without a length, or with none that is a number, Django reads nothing.
    if length.isdecimal():
        packed = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == BoundedGzipParser.media_type
        environ["wsgi.input"] = BoundedBody(environ["wsgi.input"], int(length), packed=packed)
