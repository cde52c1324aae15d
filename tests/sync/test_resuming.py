"""An interrupted session goes on where it stopped, wide filter and all (H2b). Over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest
from morango.errors import MorangoError
from morango.models.certificates import Filter
from morango.models.core import Buffer, RecordMaxCounterBuffer, SyncSession, TransferSession
from morango.registry import session_middleware
from morango.sync.controller import SessionControllerSignals
from morango.sync.syncsession import PullClient, PushClient, TransferClient
from requests.exceptions import RequestException

from course_assignment.facility.models import Collection, FacilityUser
from morango_collection_sync.controller import EagerController
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.errors import FilterChanged
from morango_collection_sync.reports import SyncReport
from morango_collection_sync.sessions import certificate_filter
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.server import DeviceServer
from tests import school
from tests.conftest import NewDevice, Serve
from tests.stock.in_process import stock_morango
from tests.sync.cutting_proxy import CuttingProxy, Lost
from tests.sync.peer import Peer

CHUNK_SIZE = 1
RECORDS = 2


class Link(NamedTuple):
    """A coach's laptop and its hub, with a connection between them that can be cut."""

    hub: Device
    laptop: Device
    joined: school.Joined
    proxy: CuttingProxy
    classroom_id: str

    def sync(self, *, push: bool) -> SyncReport:
        """Sync in one direction, with as many requests as possible and no second try for any."""
        with SyncDriver.connect(self.joined.base_url, retries=0) as driver:
            driver.connection.chunk_size = CHUNK_SIZE
            certificates = self.joined.client_certificate(), self.joined.server_certificate()
            return driver.sync(*certificates, pull=not push, push=push)

    def assign(self, titles: set[str]) -> None:
        """Assign these to the class, on the device that this process is."""
        classroom = Collection.objects.get(id=self.classroom_id)
        for title in sorted(titles):
            school.assign(classroom, title, active=False)


@pytest.fixture
def link(new_device: NewDevice) -> Iterator[Link]:
    hub, laptop = new_device("hub"), new_device("laptop")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.new_role(school.new_user(facility, "carol"), classroom)
    with DeviceServer(hub) as server, CuttingProxy(server.base_url) as proxy:
        with laptop:
            joined = school.join(proxy.base_url, "carol")
            joined.sync()
        yield Link(hub, laptop, joined, proxy, classroom.id)


def _chunks(requests: list[str]) -> int:
    return sum("/buffers/" in request for request in requests)


def _cut_and_resume(link: Link, number: int, lost: Lost, *, push: bool) -> str:
    """Cut a sync at a request, and complete it by another one.

    :return: the request
    """
    source, target = (link.laptop, link.hub) if push else (link.hub, link.laptop)
    titles = {f"{number} {lost.value} {n}" for n in range(RECORDS)}
    with source:
        link.assign(titles)
    with link.laptop:
        link.proxy.cut(number, lost)
        with pytest.raises(RequestException):
            link.sync(push=push)
        request = link.proxy.requests[number - 1]
        chunks = _chunks(link.proxy.requests[: number - 1])
        sync_session = SyncSession.objects.get(active=True)
        open_transfer = TransferSession.objects.filter(active=True).first()
        link.proxy.heal()

        report = link.sync(push=push)

        assert SyncSession.objects.get(active=True) == sync_session, request
        # Closing it is the last that a hub is asked for, and the device has done its own part by then.
        assert report.resumed is (open_transfer is not None), request
        assert report.resumed is not request.startswith("DELETE"), request
        if open_transfer is not None:
            assert report.transfers[0].transfer_session_id == open_transfer.id, request
            # Each record once, whichever sync has brought it.
            chunks += _chunks(link.proxy.requests)
            assert report.transfers[0].records == RECORDS, request
            assert chunks == RECORDS, request
        assert not TransferSession.objects.filter(active=True).exists(), request
        assert not Buffer.objects.exists(), request
    with link.hub:
        assert not TransferSession.objects.filter(active=True).exists(), request
        assert not Buffer.objects.exists(), request
        assert not RecordMaxCounterBuffer.objects.exists(), request
    with target:
        assert titles <= school.held_assignments(), request
    return request


def _requests_of_a_sync(link: Link, *, push: bool) -> list[str]:
    with link.laptop if push else link.hub:
        link.assign({f"uncut {n}" for n in range(RECORDS)})
    with link.laptop:
        link.proxy.heal()
        link.sync(push=push)
    return link.proxy.requests


@pytest.mark.parametrize("push", [False, True], ids=["pull", "push"])
def test_sync_that_was_cut_at_any_request_goes_on_as_the_same_session(link: Link, push: bool) -> None:
    requests = _requests_of_a_sync(link, push=push)
    assert _chunks(requests) == RECORDS
    opening = next(number for number, request in enumerate(requests, 1) if request.endswith("/transfersessions/"))

    for number, request in enumerate(requests, 1):
        # What comes before the transfer session has nothing to go on with.
        if number >= opening:
            for lost in (Lost.REQUEST,) if request.startswith("GET") else (Lost.REQUEST, Lost.ANSWER):
                assert _cut_and_resume(link, number, lost, push=push).split("/")[:5] == request.split("/")[:5]


def _interrupt_before_serializing(link: Link, *, push: bool) -> str:
    """Leave a session of which only the filter is settled.

    :return: the transfer session's id
    """

    def interrupt(**kwargs: Any) -> None:
        raise KeyboardInterrupt

    certificates = link.joined.client_certificate(), link.joined.server_certificate()
    with SyncDriver.connect(link.joined.base_url) as driver:
        sync_session = driver.connection.create_sync_session(*certificates).sync_session
        client = _transfer_client(driver, sync_session, push=push)
        client.signals.session.started.connect(interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.initialize(Filter("\n".join(certificate_filter(certificates[0], push=push))))
    return str(client.current_transfer_session.id)


def _transfer_client(driver: SyncDriver, sync_session: SyncSession, *, push: bool) -> TransferClient:
    controller = EagerController(session_middleware, SessionControllerSignals())
    return (PushClient if push else PullClient)(driver.connection, sync_session, controller)


@pytest.mark.parametrize("push", [False, True], ids=["pull", "push"])
def test_session_that_was_interrupted_with_its_wide_filter_only_goes_on(link: Link, push: bool) -> None:
    with link.laptop:
        transfer_id = _interrupt_before_serializing(link, push=push)

        report = link.sync(push=push)

        assert report.resumed
        assert report.transfers[0].transfer_session_id == transfer_id
        assert f"{link.joined.dataset_id}:{link.classroom_id}" in report.transfers[0].partitions


def test_session_that_the_hub_holds_with_another_filter_is_not_resumed(link: Link) -> None:
    with link.laptop:
        transfer_id = _interrupt_before_serializing(link, push=False)
        with link.hub:
            TransferSession.objects.all().delete()
            carol = FacilityUser.objects.get(username="carol")
            school.new_role(carol, school.new_classroom(Collection.objects.get(kind="facility"), "B"))
        with SyncDriver.connect(link.joined.base_url) as driver:
            client = _transfer_client(driver, TransferSession.objects.get(id=transfer_id).sync_session, push=False)
            with pytest.raises(MorangoError) as failed:
                client.initialize(Filter("\n".join(certificate_filter(link.joined.client_certificate(), push=False))))

        assert isinstance(failed.value.__cause__, FilterChanged)
        assert failed.value.__cause__.transfer_session_id == transfer_id
        assert not TransferSession.objects.get(id=transfer_id).active


def _asked_again_with_its_wide_filter(new_device: NewDevice, serve: Serve, *, stock: bool) -> tuple[bool, int]:
    """Whether a hub has widened a session, and what it answers a client that asks for it again as it is now."""
    hub, tablet = new_device("hub"), new_device("tablet")
    if stock:
        hub.while_active = (partial(stock_morango, widens=True),)
    with hub:
        facility = school.new_facility()
        school.enrol(school.new_user(facility, "ada"), school.new_classroom(facility, "A"))
    with tablet:
        joined = school.join(serve(hub), "ada")
        own = f"{joined.dataset_id}:user-ro:{joined.user_id}"
        with Peer(joined.base_url, joined.client_certificate(), joined.dataset_id) as peer:
            made = peer.create(own).json()
            return made["filter"] != own, peer.create(made["filter"], transfer_id=made["id"]).status_code


@pytest.mark.parametrize("stock", [True, False], ids=["stock", "ours"])
def test_hub_refuses_a_wide_filter_that_is_asked_for_which_is_why_no_client_of_ours_does(
    new_device: NewDevice, serve: Serve, stock: bool
) -> None:
    assert _asked_again_with_its_wide_filter(new_device, serve, stock=stock) == (True, 403)
