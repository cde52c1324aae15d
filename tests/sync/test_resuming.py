"""An interrupted session goes on where it stopped, wide filter and all (H2b). Over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import pytest
from morango.models.core import Buffer, RecordMaxCounterBuffer, SyncSession, TransferSession
from requests.exceptions import RequestException

from course_assignment.facility.models import Collection
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.reports import SyncReport
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.server import DeviceServer
from tests import school
from tests.conftest import NewDevice, Serve
from tests.stock.in_process import stock_morango
from tests.sync.cutting_proxy import CuttingProxy, Lost
from tests.sync.peer import Peer

CHUNK_SIZE = 1
RECORDS = 2
SYNC_SESSIONS = "/api/morango/v1/syncsessions/"
MOST_REQUESTS = 30
"""More than a pull or a push of so many records takes."""


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


def _cut_and_resume(link: Link, number: int, lost: Lost, *, push: bool) -> str | None:
    """Cut a sync at a request, and complete it by another one.

    :return: the request; None when the sync had fewer
    """
    source, target = (link.laptop, link.hub) if push else (link.hub, link.laptop)
    titles = {f"{number} {lost.value} {n}" for n in range(RECORDS)}
    with source:
        link.assign(titles)
    with link.laptop:
        link.proxy.cut(number, lost)
        try:
            link.sync(push=push)
        except RequestException:
            request = link.proxy.requests[number - 1]
        else:
            return None
        sync_session = SyncSession.objects.filter(active=True).last()
        open_transfer = TransferSession.objects.filter(active=True).last()
        link.proxy.heal()

        report = link.sync(push=push)

        if sync_session is not None and (request, lost) != (f"DELETE {SYNC_SESSIONS}{sync_session.id}/", Lost.ANSWER):
            assert report.resumed, request
        if open_transfer is not None:
            assert report.transfers[0].transfer_session_id == open_transfer.id, request
        assert not TransferSession.objects.filter(active=True).exists(), request
        assert not Buffer.objects.exists(), request
    with link.hub:
        assert not TransferSession.objects.filter(active=True).exists(), request
        assert not Buffer.objects.exists(), request
        assert not RecordMaxCounterBuffer.objects.exists(), request
    with target:
        assert titles <= school.held_assignments(), request
    return request


@pytest.mark.parametrize("push", [False, True], ids=["pull", "push"])
def test_sync_that_was_cut_at_any_request_goes_on_as_the_same_session(link: Link, push: bool) -> None:
    requests = []
    for number in range(1, MOST_REQUESTS):
        request = _cut_and_resume(link, number, Lost.REQUEST, push=push)
        if request is None:
            break
        requests.append(request)
        # To lose the answer of a request that changes nothing is the same again.
        if not request.startswith("GET"):
            _cut_and_resume(link, number, Lost.ANSWER, push=push)

    assert requests[0] == "GET /api/morango/v1/morangoinfo/1/"
    assert requests[-1].startswith(f"DELETE {SYNC_SESSIONS}")
    assert sum("/buffers/" in request for request in requests) >= RECORDS


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
