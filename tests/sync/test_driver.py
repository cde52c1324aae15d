"""Which session a device takes up again, and which it gives up for a new one. Over real HTTP."""

from __future__ import annotations

import os

import pytest
from morango.errors import MorangoError
from morango.models.core import SyncSession, TransferSession
from requests.exceptions import HTTPError

from course_assignment.facility.models import Collection, FacilityUser
from morango_collection_sync.sessions import granted_partitions
from tests import school
from tests.sync.links import Link
from tests.sync.operations import Broken, operation_at


def test_hub_that_has_forgotten_the_session_gets_a_new_one_at_once(link: Link) -> None:
    interrupted = link.interrupt()
    with link.hub:
        SyncSession.objects.filter(id=interrupted).delete()
    with link.laptop:
        report = link.joined.sync()

        assert not report.resumed
        assert school.held_assignments() == {"from the hub"}
        assert SyncSession.objects.get(active=True).id != interrupted
        assert not TransferSession.objects.filter(active=True).exists()


def test_hub_in_trouble_is_tried_again_with_the_same_session(link: Link) -> None:
    link.server.fails = lambda method, path: method == "PATCH"
    with link.laptop:
        with pytest.raises(HTTPError):
            link.joined.sync()
        session = SyncSession.objects.get(active=True)
        link.server.fails = lambda method, path: False

        assert link.joined.sync().resumed
        assert SyncSession.objects.get(active=True) == session
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

    # Right after the one that asks who is there.
    assert link.interrupt(at=2) == interrupted
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

        assert not report.same_session
        left = SyncSession.objects.get(id=interrupted)
        assert (left.active, left.process_id) == (True, os.getppid())


def test_session_with_another_hub_is_left_alone(link: Link) -> None:
    interrupted = link.interrupt()
    with link.laptop:
        SyncSession.objects.filter(id=interrupted).update(connection_path="http://elsewhere/")

        assert not link.joined.sync().same_session
        assert SyncSession.objects.get(id=interrupted).active


def test_resumed_session_leaves_nothing_of_a_direction_that_was_not_asked_for(link: Link) -> None:
    link.interrupt()
    with link.laptop:
        report = link.joined.sync(pull=False)

        assert report.resumed
        assert [transfer.push for transfer in report.transfers] == [True]
        assert not TransferSession.objects.filter(active=True).exists()


def test_session_that_fails_on_this_device_is_given_up(link: Link) -> None:
    with link.laptop, operation_at("dequeuing", Broken()):
        with pytest.raises(MorangoError):
            link.joined.sync()
        assert not SyncSession.objects.filter(active=True).exists()
        assert not TransferSession.objects.filter(active=True).exists()
