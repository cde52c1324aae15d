"""A request that is refused for what its body is. It ends no session: the same session may go on with a better one."""

from __future__ import annotations

from rest_framework.exceptions import APIException

from morango_collection_sync.errors import CollectionSyncError


class BadRequest(CollectionSyncError, APIException):
    """The body of a request is not what its address takes. Answered as 400 with ``code`` and ``detail``.

    :param problem: what is wrong with it, and what was expected
    """

    status_code = 400

    def __init__(self, problem: str) -> None:
        self.problem = problem
        APIException.__init__(self, detail={"code": "bad_request", "detail": problem}, code="bad_request")

    def __str__(self) -> str:
        return self.problem


class BodyTooLarge(CollectionSyncError, APIException):
    """The body of a request is larger than this side takes. Answered as 413.

    :param limit: bytes, uncompressed
    """

    status_code = 413

    def __init__(self, limit: int) -> None:
        self.limit = limit
        sentence = f"the request has more than the {limit} bytes that are taken at once"
        APIException.__init__(self, detail=sentence, code="too_large")
        # What is answered; DRF would have made a text of every number in it.
        self.detail = {"code": "too_large", "detail": sentence, "limit": limit}

    def __str__(self) -> str:
        return f"the request has more than the {self.limit} bytes that are taken at once"
