"""A sync waits for nothing but a hub that is not done, and not for ever. Over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from django.conf import settings
from django.test import override_settings
from morango.models.core import SyncSession, TransferSession
from morango.sync.syncsession import NetworkSyncConnection

from morango_collection_sync.errors import SyncDeadlineExceeded
from morango_collection_sync.simulation.clock import Clock
from tests import school
from tests.sync.links import Link
from tests.sync.operations import NeverDone, operation_at

_never_serialized = partial(operation_at, "serializing", NeverDone())


class CountingClock(Clock):
    """A clock that knows how often it was asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses = 0

    def sleep(self, seconds: float) -> None:
        self.pauses += 1
        super().sleep(seconds)


def test_sync_never_waits_while_there_is_something_to_do(link: Link) -> None:
    clock = CountingClock()
    with link.laptop, clock.running():
        link.joined.sync()
        link.assign("from the laptop")
        report = link.joined.sync()

    assert report.records(push=True) > 0
    assert clock.pauses == 0


def test_stock_client_waits_in_the_same_sync(link: Link) -> None:
    clock = CountingClock()
    with link.laptop, clock.running():
        connection = NetworkSyncConnection(base_url=link.joined.base_url)
        client = connection.create_sync_session(link.joined.client_certificate(), link.joined.server_certificate())
        pull = client.get_pull_client()
        pull.initialize(link.joined.client_certificate().get_scope().read_filter)
        pull.run()
        pull.finalize()
        connection.close()

    assert clock.slept > 3


@pytest.fixture
def impatient() -> Iterator[CountingClock]:
    """A deadline of 20 seconds, which pass in no time."""
    clock = CountingClock()
    deadline = {**settings.COLLECTION_SYNC, "SESSION_DEADLINE": 20}
    with clock.running(), override_settings(COLLECTION_SYNC=deadline):
        yield clock


def test_hub_that_never_finishes_a_stage_is_given_up_with_the_name_of_the_stage(
    link: Link, impatient: CountingClock
) -> None:
    link.hub.while_active = (_never_serialized,)
    with link.laptop:
        with pytest.raises(SyncDeadlineExceeded) as exceeded:
            link.joined.sync()

        assert (exceeded.value.stage, exceeded.value.seconds) == ("serializing", 20)
        assert str(exceeded.value) == "gave up after 20 s waiting for the stage 'serializing' to finish"
        # The pauses grow to two seconds: whoever waits long does not ask often.
        assert 0 < impatient.pauses < 20
        assert SyncSession.objects.get(active=True)


def test_session_of_which_a_hub_did_not_finish_a_stage_goes_on_once_it_does(
    link: Link, impatient: CountingClock
) -> None:
    link.hub.while_active = (_never_serialized,)
    with link.laptop:
        with pytest.raises(SyncDeadlineExceeded):
            link.joined.sync()
        link.hub.while_active = ()

        report = link.joined.sync()

        assert report.resumed
        assert school.held_assignments() == {"from the hub"}
        assert not TransferSession.objects.filter(active=True).exists()
