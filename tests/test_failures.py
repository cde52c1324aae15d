"""What a failed sync was about is found behind the bare error that Morango's client ends with."""

from __future__ import annotations

import pytest
from morango.errors import MorangoError
from requests import Response
from requests.exceptions import ConnectionError as ConnectionLost
from requests.exceptions import HTTPError, ReadTimeout

from morango_collection_sync.errors import FilterRefused, SyncDeadlineExceeded
from morango_collection_sync.failures import is_interruption, is_lost_connection, told_by_hub
from morango_collection_sync.refusals import SessionRefused, grant_shrunk


def _answered(status: int, body: bytes = b"") -> HTTPError:
    response = Response()
    response.status_code = status
    response._content = body
    return HTTPError(response=response)


def _stage_failed(cause: BaseException) -> MorangoError:
    error = MorangoError("Stage `queuing` failed")
    error.__cause__ = cause
    return error


def test_refusal_that_a_hub_has_sent_comes_back_as_it_was() -> None:
    body = b'{"code": "grant_shrunk", "detail": "no longer", "partitions": ["a:b"]}'

    refusal = told_by_hub(_stage_failed(_answered(403, body)))

    assert isinstance(refusal, SessionRefused)
    assert (refusal.code, str(refusal), refusal.facts) == ("grant_shrunk", "no longer", {"partitions": ["a:b"]})


def test_refusal_survives_the_way_to_the_client_and_back() -> None:
    refusal = grant_shrunk(["b:c", "a:b"])

    again = SessionRefused.from_json(refusal.as_json())

    assert (again.code, again.sentence, again.facts) == (refusal.code, refusal.sentence, {"partitions": ["a:b", "b:c"]})


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'"grant_shrunk"', b'{"detail": "Not found."}', b'{"code": 1}']
)
def test_answer_without_a_reason_stays_the_http_error_that_it_is(body: bytes) -> None:
    error = _answered(404, body)

    assert told_by_hub(_stage_failed(error)) is error


def test_what_this_device_has_refused_is_told_as_it_is() -> None:
    error = FilterRefused(["a"], [], "d" * 32)

    assert told_by_hub(_stage_failed(error)) is error


def test_any_other_failure_stays_what_it_is() -> None:
    error = _stage_failed(ValueError("broken"))

    assert told_by_hub(error) is error


@pytest.mark.parametrize(
    ("error", "interruption", "lost"),
    [
        (ConnectionLost(), True, True),
        (ReadTimeout(), True, True),
        (_answered(503), True, False),
        (_answered(500), True, False),
        (_answered(404), False, False),
        (_answered(403), False, False),
        (SyncDeadlineExceeded("queuing", 1.0), True, False),
        (grant_shrunk(["a"]), False, False),
        (FilterRefused(["a"], [], "d" * 32), False, False),
        (MorangoError(), False, False),
    ],
    ids=repr,
)
def test_only_what_the_hub_has_not_decided_can_go_on_another_time(
    error: Exception, interruption: bool, lost: bool
) -> None:
    assert is_interruption(error) is interruption
    assert is_lost_connection(error) is lost
