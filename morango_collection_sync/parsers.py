"""Parsers for what clients send, plain or gzipped: bounded in size and depth, and only what a database can hold."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from rest_framework.parsers import BaseParser

from morango_collection_sync import conf
from morango_collection_sync.bad_requests import BadRequest, BodyTooLarge
from morango_collection_sync.verification.bodies import unacceptable

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 1 << 16


class BoundedJSONParser(BaseParser):
    """Parses JSON in UTF-8."""

    media_type = "application/json"

    def parse(
        self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """:raises BodyTooLarge: beyond ``MAX_BODY_BYTES``
        :raises BadRequest: for what is no JSON, or none that a database can hold
        """
        limit = conf.max_body_bytes()
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(limit)
        return parsed_body(body)


class BoundedGzipParser(BaseParser):
    """Parses gzipped JSON, and unpacks no more of it than the limit."""

    media_type = "application/gzip"

    def parse(
        self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """:raises BodyTooLarge: beyond ``MAX_BODY_BYTES`` when unpacked
        :raises BadRequest: for what is cut short, is no gzip, or no JSON that a database can hold
        """
        return parsed_body(_unpacked(stream, conf.max_body_bytes()))


def parsed_body(body: bytes) -> Any:
    """The JSON value in a body.

    :raises BadRequest: when there is none, or none that a database can hold
    """
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        raise BadRequest("the body is nested too deep") from None
    except ValueError:
        raise BadRequest("the body is not JSON in UTF-8") from None
    problem = unacceptable(value)
    if problem is not None:
        raise BadRequest(f"the body {problem}")
    return value


def _unpacked(stream: BinaryIO, limit: int) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    unpacked = bytearray()
    try:
        while not unpacker.eof:
            piece = unpacker.unconsumed_tail or stream.read(_PIECE)
            if not piece:
                raise BadRequest("the body is cut short")
            unpacked += unpacker.decompress(piece, _PIECE)
            if len(unpacked) > limit:
                raise BodyTooLarge(limit)
    except zlib.error:
        raise BadRequest("the body is not gzip") from None
    return bytes(unpacked)


def _no_constant(name: str) -> Any:
    raise ValueError(name)
