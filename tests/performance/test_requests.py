"""How many requests a sync takes, over real HTTP: whoever adds one has to say so here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from morango.models.core import SyncSession
from morango.sync.syncsession import NetworkSyncConnection

from course_assignment.facility.hubs import Hub
from course_assignment.facility.syncing import device_certificates, sync_all
from morango_collection_sync.simulation.clock import Clock
from tests.performance.conftest import COLLECTIONS, Pair
from tests.performance.counting import key_loads

WHO = ["GET morangoinfo/1"]
NEW_SESSION = ["POST nonces", "POST syncsessions"]
OPEN, FORWARD, CLOSE = "POST transfersessions", "PATCH transfersessions", "DELETE transfersessions"
NOTHING_TO_PULL = [OPEN, FORWARD, CLOSE]
# Before a device can queue, the hub has to say what it has, and then it has to be told how much comes.
NOTHING_TO_PUSH = [OPEN, FORWARD, FORWARD, CLOSE]


def _without_a_session() -> None:
    SyncSession.objects.all().delete()


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "stock"])
def test_no_op_pull_in_a_new_session_takes_six(new_pair: Callable[..., Pair], stock: bool) -> None:
    pair = new_pair(stock=stock)
    with pair.laptop:
        _without_a_session()
        pair.counted.taken()

        report = pair.joined.sync(push=False)

    assert report.records(push=False) == 0
    assert pair.counted.taken() == WHO + NEW_SESSION + NOTHING_TO_PULL


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "stock"])
def test_no_op_pull_in_the_last_session_takes_four_and_the_push_four_more(
    new_pair: Callable[..., Pair], stock: bool
) -> None:
    pair = new_pair(stock=stock)
    with pair.laptop:
        pulled = pair.joined.sync(push=False)
        for_pull = pair.counted.taken()
        both = pair.joined.sync()
        for_both = pair.counted.taken()

    assert pulled.same_session
    assert both.same_session
    assert for_pull == WHO + NOTHING_TO_PULL
    assert for_both == WHO + NOTHING_TO_PULL + NOTHING_TO_PUSH


def test_client_of_plain_morango_takes_more_than_twice_as_many(pair: Pair) -> None:
    with pair.laptop, Clock().running():
        own, theirs = pair.joined.client_certificate(), pair.joined.server_certificate()
        scope = own.get_scope()

        def connect() -> NetworkSyncConnection:
            return NetworkSyncConnection(base_url=pair.joined.base_url)

        connection = connect()
        client = connection.create_sync_session(own, theirs)
        client.initiate_pull(scope.read_filter)
        connection.close()
        new = pair.counted.taken()
        connection = connect()
        client = connection.resume_sync_session(client.sync_session.id)
        client.initiate_pull(scope.read_filter)
        resumed = pair.counted.taken()
        client.initiate_push(scope.write_filter)
        pushed = pair.counted.taken()
        connection.close()

    assert (len(new), len(resumed), len(resumed) + len(pushed)) == (14, 13, 23)


def test_records_take_a_request_for_each_chunk_and_one_to_say_that_they_are_here(pair: Pair) -> None:
    with pair.hub:
        pair.assign(5)
    with pair.laptop, pair.driver() as driver:
        driver.connection.chunk_size = 2
        certificates = pair.joined.client_certificate(), pair.joined.server_certificate()
        driver.sync(*certificates, push=False)
        pulled = pair.counted.taken()
        pair.assign(5)
        driver.sync(*certificates, pull=False)
        pushed = pair.counted.taken()

    assert pulled == WHO + [OPEN, FORWARD] + ["GET buffers"] * 3 + [FORWARD, CLOSE]
    assert pushed == [OPEN, FORWARD, FORWARD] + ["POST buffers"] * 3 + [FORWARD, CLOSE]


def test_command_asks_for_no_more_than_the_driver(pair: Pair) -> None:
    with pair.laptop:
        with Hub(pair.joined.base_url) as hub:
            list(sync_all(hub, device_certificates()))
        again = pair.counted.taken()
        _without_a_session()
        with Hub(pair.joined.base_url) as hub:
            list(sync_all(hub, device_certificates()))
        anew = pair.counted.taken()

    assert again == WHO + NOTHING_TO_PULL + NOTHING_TO_PUSH
    assert anew == [*WHO, "GET certificates", *NEW_SESSION, *NOTHING_TO_PULL, *NOTHING_TO_PUSH]


def test_no_op_pull_of_five_collections_brings_four_kilobytes_down_at_most(pair: Pair) -> None:
    with pair.laptop:
        brought = []
        for before in (lambda: None, _without_a_session):
            before()
            with pair.driver() as driver:
                report = driver.sync(pair.joined.client_certificate(), pair.joined.server_certificate(), push=False)
                brought.append(driver.connection.bytes_received)
            assert len(report.transfers[0].partitions) >= COLLECTIONS
            assert report.records(push=False) == 0

    assert brought[0] <= 2_600
    assert brought[1] <= 4_096


def test_private_keys_are_read_where_something_is_signed(pair: Pair) -> None:
    with pair.laptop:
        with key_loads() as again:
            pair.joined.sync()
        _without_a_session()
        with key_loads() as anew:
            pair.joined.sync()

    assert again.call_count == 0
    # Each side signs once, and Morango reads the client's once more to send its certificate.
    assert anew.call_count == 3
