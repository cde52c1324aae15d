"""Waiting takes no time, and is waited for all the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from unittest import mock

import pytest
from django.test import override_settings
from morango.constants import transfer_stages, transfer_statuses
from morango.sync.context import LocalSessionContext
from morango.sync.controller import SessionController
from urllib3.util.retry import Retry

from morango_collection_sync.controller import EagerController
from morango_collection_sync.errors import SyncDeadlineExceeded
from morango_collection_sync.simulation.clock import Clock

SECONDS = 5
"""So long that a test in which somebody really waits is seen to fail."""


@pytest.fixture(autouse=True)
def takes_no_time() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < SECONDS


def test_nobody_really_waits_for_a_stage() -> None:
    controller = EagerController([], None, context=LocalSessionContext(capabilities=[]))
    with (
        Clock().running(),
        mock.patch.object(EagerController, "proceed_to", return_value=transfer_statuses.PENDING),
        override_settings(COLLECTION_SYNC={"SESSION_DEADLINE": 10 * SECONDS}),
        pytest.raises(SyncDeadlineExceeded),
    ):
        controller.proceed_to_and_wait_for(transfer_stages.QUEUING)


def test_nobody_really_waits_for_a_stage_with_morangos_controller() -> None:
    controller = SessionController([], None, context=LocalSessionContext(capabilities=[]))
    statuses = [*[transfer_statuses.PENDING] * 10 * SECONDS, transfer_statuses.COMPLETED]
    with Clock().running() as clock, mock.patch.object(SessionController, "proceed_to", side_effect=statuses):
        controller.proceed_to_and_wait_for(transfer_stages.QUEUING)
    assert clock.slept > SECONDS


def test_nobody_really_waits_before_a_request_is_sent_again() -> None:
    with Clock().running() as clock:
        retry = Retry(total=3, backoff_factor=SECONDS)
        for _ in range(2):
            retry = retry.increment(method="GET", url="/", error=ConnectionError())
            retry.sleep()
    assert clock.slept >= SECONDS
