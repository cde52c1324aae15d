"""What a sync tells while it runs, and when it is done. Over real HTTP."""

from __future__ import annotations

from typing import Any

from morango.models.core import TransferSession

from course_assignment.facility.models import Collection
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.sessions import certificate_filter
from tests import school
from tests.sync.links import Link


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
