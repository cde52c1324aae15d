"""A sync session stays open for the next sync, and holds nobody to what was true when it was opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone
from morango.errors import MorangoError
from morango.models.certificates import Certificate
from morango.models.core import Buffer, SyncSession, TransferSession

from course_assignment.facility.hubs import Hub
from course_assignment.facility.models import Collection, FacilityUser, Role
from morango_collection_sync import conf
from morango_collection_sync.earlier_sessions import at_work_on
from morango_collection_sync.errors import NoAnswer
from morango_collection_sync.reports import SyncReport
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.network import Network
from tests import school
from tests.conftest import NewDevice, Serve
from tests.release.town import become_hub
from tests.sync.cutting_proxy import Lost
from tests.sync.links import Link
from tests.sync.operations import Broken, operation_at


def _classroom(link: Link) -> Collection:
    return Collection.objects.get(id=link.classroom_id)


def _open_sessions() -> int:
    return int(SyncSession.objects.filter(active=True).count())


def test_second_sync_goes_on_with_the_session_of_the_first(link: Link) -> None:
    with link.laptop:
        first, second = link.joined.sync(), link.joined.sync()

        assert [(report.same_session, report.resumed) for report in (first, second)] == [(False, False), (True, False)]
        # So that any process may take it, not only this one.
        assert SyncSession.objects.get(active=True).process_id is None


def test_class_that_was_lost_between_two_syncs_is_not_in_the_next_one_of_the_same_session(link: Link) -> None:
    with link.laptop:
        link.joined.sync()
        with link.hub:
            Role.objects.get(collection_id=link.classroom_id).delete()

        report = link.joined.sync()

        assert report.same_session
        assert not any(
            partition.endswith(link.classroom_id) for each in report.transfers for partition in each.partitions
        )
        assert school.held_assignments() == set()


def test_class_that_was_gained_between_two_syncs_comes_with_the_next_one_of_the_same_session(link: Link) -> None:
    with link.laptop:
        link.joined.sync()
        with link.hub:
            other = school.new_classroom(_classroom(link).parent, "B")
            school.new_role(FacilityUser.objects.get(username="carol"), other)
            school.assign(other, "of the other class")

        report = link.joined.sync()

        assert report.same_session
        assert school.held_assignments() == {"from the hub", "of the other class"}


def test_session_outlives_a_restart_of_the_hub(new_device: NewDevice, network: Network) -> None:
    hub, tablet = new_device("hub"), new_device("tablet")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.enrol(school.new_user(facility, "ada"), classroom)
    with tablet:
        joined = school.join(network.add(hub), "ada")
        joined.sync()
        network.remove(hub)
        network.add(Device("hub", hub.database))
        with hub:
            school.assign(classroom, "after the restart")

        assert joined.sync().same_session
        assert school.held_assignments() == {"after the restart"}


def _forget(link: Link) -> None:
    with link.hub:
        SyncSession.objects.all().delete()


def _clean_up(link: Link) -> None:
    with link.hub:
        call_command("cleanupsyncs", expiration=0)


def _clean_up_on_the_device(link: Link) -> None:
    call_command("cleanupsyncs", expiration=0)


def _let_half_a_day_pass_for_the_hub(link: Link) -> None:
    with link.hub:
        SyncSession.objects.update(start_timestamp=timezone.now() - timedelta(seconds=conf.session_lifetime() + 1))


def _let_half_a_day_pass_for_the_device(link: Link) -> None:
    SyncSession.objects.update(start_timestamp=timezone.now() - timedelta(seconds=conf.session_lifetime() + 1))


def _take_another_instance_id(link: Link) -> None:
    SyncSession.objects.update(client_instance_id="1" * 32)


def _meet_another_instance(link: Link) -> None:
    SyncSession.objects.update(server_instance_id="1" * 32)


def _have_learnt_to_understand_grants(link: Link) -> None:
    SyncSession.objects.update(client_instance_json=json.dumps({}))


def _meet_a_hub_that_has_learnt_to_grant(link: Link) -> None:
    SyncSession.objects.update(server_instance_json=json.dumps({}))


@pytest.mark.parametrize(
    "happens",
    [
        _forget,
        _clean_up,
        _clean_up_on_the_device,
        _let_half_a_day_pass_for_the_hub,
        _let_half_a_day_pass_for_the_device,
        _take_another_instance_id,
        _meet_another_instance,
        _have_learnt_to_understand_grants,
        _meet_a_hub_that_has_learnt_to_grant,
    ],
)
def test_session_that_does_not_hold_any_more_is_replaced_at_once(link: Link, happens: Callable[[Link], None]) -> None:
    with link.laptop:
        link.joined.sync(push=False)
        happens(link)
        with link.hub:
            link.assign("meanwhile")

        report = link.joined.sync(push=False)

        assert not report.same_session
        assert school.held_assignments() == {"from the hub", "meanwhile"}
        assert _open_sessions() == 1


def test_session_that_another_sync_of_this_process_works_on_is_left_to_it(link: Link) -> None:
    with link.laptop:
        link.joined.sync()
        session = SyncSession.objects.get(active=True)

        with at_work_on(session):
            assert not link.joined.sync().same_session
        assert SyncSession.objects.get(pk=session.pk).active
        SyncSession.objects.exclude(pk=session.pk).delete()
        assert link.joined.sync().same_session


def test_session_of_a_certificate_that_was_replaced_is_not_gone_on_with(link: Link) -> None:
    with link.laptop:
        link.joined.sync()
        Certificate.objects.filter(id=link.joined.client_certificate().id).delete()
        again = school.join(link.joined.base_url, "carol")

        assert not again.sync().same_session
        assert _open_sessions() == 1


def test_each_hub_has_a_session_of_its_own(new_device: NewDevice, serve: Serve) -> None:
    hub, second, tablet = new_device("hub"), new_device("second"), new_device("tablet")
    with hub:
        facility = school.new_facility()
        school.enrol(school.new_user(facility, "ada"), school.new_classroom(facility, "A"))
    first_url, second_url = serve(hub), serve(second)
    become_hub(second, first_url)
    with tablet:
        joined = school.join(first_url, "ada")

        reports = [_sync_with(url, joined) for url in (first_url, second_url, first_url, second_url)]

        assert [report.same_session for report in reports] == [False, False, True, True]
        assert _open_sessions() == 2


def _sync_with(url: str, joined: school.Joined) -> SyncReport:
    with Hub(url) as hub:
        return hub.driver.sync(joined.client_certificate(), partial(hub.certificate, joined.dataset_id))


def test_hub_keeps_no_more_sessions_for_a_certificate_than_it_may(link: Link) -> None:
    few = override_settings(COLLECTION_SYNC={**settings.COLLECTION_SYNC, "MAX_OPEN_SYNC_SESSIONS": 2})
    with link.laptop, few:
        for _ in range(4):
            SyncSession.objects.all().delete()
            link.joined.sync(push=False)
        with link.hub:
            assert _open_sessions() == 2

        assert link.joined.sync(push=False).same_session


def test_hub_is_told_of_a_session_that_is_given_up(link: Link) -> None:
    with link.laptop, operation_at("dequeuing", Broken()), pytest.raises(MorangoError):
        link.joined.sync()
    with link.hub:
        assert _open_sessions() == 0
        assert not TransferSession.objects.filter(active=True).exists()
        assert not Buffer.objects.exists()


@pytest.mark.parametrize(
    ("number", "waiting_for"),
    [(3, "a sync session to be opened"), (5, "the stage 'serializing'"), (6, "the stage 'transferring'")],
)
def test_request_that_is_not_answered_in_time_ends_the_sync_and_says_what_it_was_for(
    link: Link, number: int, waiting_for: str
) -> None:
    impatient = override_settings(COLLECTION_SYNC={**settings.COLLECTION_SYNC, "REQUEST_TIMEOUTS": (5, 0.3)})
    with link.laptop, impatient:
        link.proxy.cut(number, Lost.TIME)
        with pytest.raises(NoAnswer) as failed:
            link.joined.sync()
        # The hub may still be at work on it.
        assert len(link.proxy.requests) == number
        link.proxy.heal()

    assert str(failed.value) == (
        f"the hub has not answered within 0.3 s, waiting for {waiting_for}; sync again to go on from there"
    )
