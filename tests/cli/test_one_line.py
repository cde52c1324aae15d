"""What becomes of an error on its way to the person: one line for what they or the network did, nothing hidden else."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import OperationalError
from morango.errors import MorangoError
from requests import Response
from requests.exceptions import ConnectionError as ConnectionLost
from requests.exceptions import HTTPError

from course_assignment.facility.cli.command import Refused, told_in_one_line
from course_assignment.facility.errors import HomeIsHub
from morango_collection_sync.errors import SyncDeadlineExceeded


def answer(status: int) -> Response:
    response = Response()
    response.status_code = status
    return response


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (HTTPError(response=answer(500)), "the hub answered with an error (status 500)"),
        (ConnectionLost("('Connection aborted.', 7)"), "the connection to the hub was lost; sync again"),
        (SyncDeadlineExceeded("queuing", 600), "gave up after 600 s waiting for the stage 'queuing' to finish"),
        (MorangoError("a stage failed\nwith details"), "the sync failed: a stage failed"),
        (MorangoError(), "the sync failed: MorangoError"),
        (OperationalError("disk full\nDETAIL: a record"), "the database of this home cannot be used: disk full"),
        (ImproperlyConfigured("no driver"), "the database of this home cannot be used: no driver"),
        (HomeIsHub("/school"), "/school is a hub already; give another --home"),
        (ValidationError({"full_name": ["Too long."], "__all__": ["Bad."]}), "full name: Too long.; Bad."),
        (ValidationError(["One.", "Two."]), "One.; Two."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_error_of_a_person_or_the_network_is_one_line(error: Exception, line: str) -> None:
    with pytest.raises(Refused) as refused, told_in_one_line():
        raise error

    assert refused.value.message.startswith(line)
    assert "\n" not in refused.value.message


def test_error_of_the_program_itself_goes_through() -> None:
    with pytest.raises(ZeroDivisionError), told_in_one_line():
        raise ZeroDivisionError


def test_refusal_that_is_one_already_stays_as_it_is() -> None:
    refusal = Refused("no")

    with pytest.raises(Refused) as refused, told_in_one_line():
        raise refusal

    assert refused.value is refusal
