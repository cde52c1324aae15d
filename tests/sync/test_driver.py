"""The client's side of a sync: which session it takes up, which it gives up, and what it tells. Over real HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from morango.constants import transfer_statuses
from morango.errors import MorangoError
from morango.models.core import SyncSession, TransferSession
from morango.registry import session_middleware
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation
from morango.sync.syncsession import NetworkSyncConnection
from requests.exceptions import HTTPError, RequestException

from course_assignment.facility.models import Collection, FacilityUser
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.errors import SyncDeadlineExceeded
from morango_collection_sync.sessions import certificate_filter, granted_partitions
from morango_collection_sync.simulation.clock import Clock
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.server import DeviceServer
from tests import school
from tests.conftest import NewDevice
from tests.sync.cutting_proxy import CuttingProxy, Lost


class Failing:
    """Django's WSGI application, which answers some requests with an error.

    :ivar fails: whether to, for a request's method and path
    """

    def __init__(self) -> None:
        self.fails: Callable[[str, str], bool] = lambda method, path: False
        self._application = get_wsgi_application()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.fails(environ["REQUEST_METHOD"], environ["PATH_INFO"]):
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        return self._application(environ, start_response)  # type: ignore[no-any-return]


class Link(NamedTuple):
    """A coach's laptop that has joined a hub of one class, and what is between them."""

    hub: Device
    laptop: Device
    joined: school.Joined
    proxy: CuttingProxy
    server: Failing
    classroom_id: str

    def assign(self, title: str) -> None:
        """Assign a course to the class, on the device that this process is."""
        school.assign(Collection.objects.get(id=self.classroom_id), title)

    def interrupt(self) -> str:
        """Cut a pull of the laptop in the middle.

        :return: the id of the sync session that is left
        """
        with self.laptop:
            self.proxy.cut(8, Lost.REQUEST)
            with pytest.raises(RequestException), SyncDriver.connect(self.joined.base_url, retries=0) as driver:
                driver.sync(self.joined.client_certificate(), self.joined.server_certificate(), push=False)
            self.proxy.heal()
            return str(SyncSession.objects.get(active=True).id)


@pytest.fixture
def link(new_device: NewDevice) -> Iterator[Link]:
    hub, laptop = new_device("hub"), new_device("laptop")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.new_role(school.new_user(facility, "carol"), classroom)
        school.assign(classroom, "from the hub")
    application = Failing()
    with DeviceServer(hub, application) as server, CuttingProxy(server.base_url) as proxy:
        with laptop:
            joined = school.join(proxy.base_url, "carol")
        yield Link(hub, laptop, joined, proxy, application, classroom.id)


class CountingClock(Clock):
    """A clock that knows how often it was asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses = 0

    def sleep(self, seconds: float) -> None:
        self.pauses += 1
        super().sleep(seconds)


class NeverDone(LocalOperation):
    """A stage of which the hub never says that it is finished."""

    def handle(self, context: LocalSessionContext) -> Any:
        return transfer_statuses.PENDING if context.is_server else False


class Broken(LocalOperation):
    """A stage that fails on the device that asks."""

    def handle(self, context: LocalSessionContext) -> Any:
        if not context.is_server:
            raise ValueError("this device is broken")
        return False


@contextmanager
def _operation(stage: str, operation: LocalOperation) -> Iterator[None]:
    (group,) = [group for group in session_middleware if group.related_stage == stage]
    group.insert(0, operation)
    try:
        yield
    finally:
        group.remove(operation)


_never_serialized = partial(_operation, "serializing", NeverDone())


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


def test_session_that_a_hub_still_does_not_finish_is_replaced_by_a_new_one(
    link: Link, impatient: CountingClock
) -> None:
    link.hub.while_active = (_never_serialized,)
    with link.laptop:
        with pytest.raises(SyncDeadlineExceeded):
            link.joined.sync()
        link.hub.while_active = ()

        report = link.joined.sync()

        assert not report.resumed
        assert school.held_assignments() == {"from the hub"}
        assert not TransferSession.objects.filter(active=True).exists()


def test_hub_that_has_forgotten_the_session_gets_a_new_one_at_once(link: Link) -> None:
    interrupted = link.interrupt()
    with link.hub:
        SyncSession.objects.filter(id=interrupted).delete()
    with link.laptop:
        report = link.joined.sync()

        assert not report.resumed
        assert school.held_assignments() == {"from the hub"}
        assert not SyncSession.objects.filter(active=True).exists()
        assert not TransferSession.objects.filter(active=True).exists()


def test_hub_in_trouble_is_tried_again_with_the_same_session(link: Link) -> None:
    link.server.fails = lambda method, path: method == "PATCH"
    with link.laptop:
        with pytest.raises(HTTPError):
            link.joined.sync()
        session = SyncSession.objects.get(active=True)
        link.server.fails = lambda method, path: False

        assert link.joined.sync().resumed
        session.refresh_from_db()
        assert not session.active
        assert school.held_assignments() == {"from the hub"}


def test_session_in_which_the_hub_fails_again_is_replaced_by_a_new_one(link: Link) -> None:
    link.interrupt()
    with link.laptop:
        transfer_id = TransferSession.objects.get(active=True).id
        link.server.fails = lambda method, path: transfer_id in path

        report = link.joined.sync()

        assert not report.resumed
        assert school.held_assignments() == {"from the hub"}
        assert not TransferSession.objects.filter(active=True).exists()


def test_session_that_is_interrupted_again_still_goes_on(link: Link) -> None:
    interrupted = link.interrupt()

    assert link.interrupt() == interrupted
    with link.laptop:
        assert link.joined.sync(push=False).resumed


def test_session_that_the_hub_now_holds_with_another_filter_is_replaced_by_a_new_one(link: Link) -> None:
    link.interrupt()
    with link.hub:
        TransferSession.objects.all().delete()
        classroom = Collection.objects.get(id=link.classroom_id)
        carol = FacilityUser.objects.get(username="carol")
        school.new_role(carol, school.new_classroom(classroom.parent, "B"))
    with link.laptop:
        report = link.joined.sync(push=False)

        assert not report.resumed
        assert len(granted_partitions(TransferSession.objects.get(id=report.transfers[0].transfer_session_id))) == 2
        assert school.held_assignments() == {"from the hub"}


def test_session_of_another_process_that_is_alive_is_left_to_it(link: Link) -> None:
    interrupted = link.interrupt()
    with link.laptop:
        SyncSession.objects.filter(id=interrupted).update(process_id=os.getppid())

        report = link.joined.sync()

        assert not report.resumed
        assert SyncSession.objects.get(active=True).id == interrupted


def test_session_with_another_hub_is_left_alone(link: Link) -> None:
    interrupted = link.interrupt()
    with link.laptop:
        SyncSession.objects.filter(id=interrupted).update(connection_path="http://elsewhere/")

        assert not link.joined.sync().resumed
        assert SyncSession.objects.get(active=True).id == interrupted


def test_resumed_session_leaves_nothing_of_a_direction_that_was_not_asked_for(link: Link) -> None:
    link.interrupt()
    with link.laptop:
        report = link.joined.sync(pull=False)

        assert report.resumed
        assert [transfer.push for transfer in report.transfers] == [True]
        assert not TransferSession.objects.filter(active=True).exists()


def test_session_that_fails_on_this_device_is_given_up(link: Link) -> None:
    with link.laptop, _operation("dequeuing", Broken()):
        with pytest.raises(MorangoError):
            link.joined.sync()
        assert not SyncSession.objects.filter(active=True).exists()
        assert not TransferSession.objects.filter(active=True).exists()


def test_one_direction_alone_is_synced_when_asked(link: Link) -> None:
    with link.laptop:
        pulled, pushed = link.joined.sync(push=False), link.joined.sync(pull=False)

    assert [transfer.push for transfer in pulled.transfers] == [False]
    assert [transfer.push for transfer in pushed.transfers] == [True]


def test_report_counts_requests_and_bytes_of_its_own_sync(link: Link) -> None:
    with link.laptop, SyncDriver.connect(link.joined.base_url) as driver:
        certificates = link.joined.client_certificate(), link.joined.server_certificate()
        connected = driver.connection.bytes_received, driver.connection.bytes_sent
        link.proxy.heal()
        reports = [driver.sync(*certificates), driver.sync(*certificates)]
        bytes_received, bytes_sent = driver.connection.bytes_received, driver.connection.bytes_sent

    assert sum(report.requests for report in reports) == len(link.proxy.requests)
    assert sum(report.bytes_received for report in reports) == bytes_received - connected[0]
    assert sum(report.bytes_sent for report in reports) == bytes_sent - connected[1]
    # The second had nothing to fetch.
    assert reports[0].records(push=False) > reports[1].records(push=False) == 0
    assert reports[0].bytes_received > reports[1].bytes_received > 0


def test_report_tells_the_filter_and_the_id_of_each_transfer(link: Link) -> None:
    with link.laptop:
        report = link.joined.sync()
        certificate = link.joined.client_certificate()
        granted = f"{link.joined.dataset_id}:{link.classroom_id}"

        for transfer in report.transfers:
            assert set(transfer.partitions) == {*certificate_filter(certificate, push=transfer.push), granted}
            assert TransferSession.objects.get(id=transfer.transfer_session_id).push is transfer.push


def test_two_users_of_one_device_sync_over_one_connection(link: Link) -> None:
    with link.hub:
        classroom = Collection.objects.get(id=link.classroom_id)
        other = school.new_classroom(classroom.parent, "B")
        school.enrol(school.new_user(classroom.parent, "ada"), other)
        school.assign(other, "for the other class")
    with link.laptop:
        ada = school.join(link.joined.base_url, "ada")
        link.proxy.heal()
        with SyncDriver.connect(link.joined.base_url) as driver:
            for user in (link.joined, ada):
                driver.sync(user.client_certificate(), user.server_certificate())

        assert school.held_assignments() == {"from the hub", "for the other class"}
    assert sum(request.endswith("/morangoinfo/1/") for request in link.proxy.requests) == 1


def test_progress_is_told_at_the_beginning_at_each_chunk_and_at_the_end(link: Link) -> None:
    moved: list[tuple[bool, int]] = []

    def progress(transfer_session: TransferSession, **kwargs: Any) -> None:
        moved.append((transfer_session.push, transfer_session.records_transferred))

    with link.laptop, SyncDriver.connect(link.joined.base_url, progress) as driver:
        driver.connection.chunk_size = 1
        report = driver.sync(link.joined.client_certificate(), link.joined.server_certificate())

    pulled = [records for push, records in moved if not push]
    assert sorted(pulled) == pulled
    assert set(pulled) == set(range(report.records(push=False) + 1))
    assert any(push for push, _ in moved)


def test_leaving_the_driver_closes_its_connection(link: Link) -> None:
    with SyncDriver.connect(link.joined.base_url) as driver:
        pools = driver.connection.session.get_adapter(link.joined.base_url).poolmanager.pools
        assert len(pools) == 1

    assert len(pools) == 0
