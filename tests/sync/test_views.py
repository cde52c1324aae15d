"""What the hub's views answer about sessions that have ended, or that there never were. Over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from morango.models.core import SyncSession, TransferSession

from morango_collection_sync.refusals import SessionRefused, end_transfer_session
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.conftest import NewDevice, Serve
from tests.sync.peer import Peer

UNKNOWN = "f" * 32


class Open(NamedTuple):
    """A hub, and a peer with an open pull."""

    hub: Device
    peer: Peer
    own: str
    transfer_id: str

    def transfer_session(self) -> TransferSession:
        """On the hub: its side of the pull."""
        return TransferSession.objects.get(id=self.transfer_id)


@pytest.fixture
def opened(new_device: NewDevice, serve: Serve) -> Iterator[Open]:
    hub, tablet = new_device("hub"), new_device("tablet")
    with hub:
        facility = school.new_facility()
        school.new_user(facility, "ada")
    base_url = serve(hub)
    with tablet:
        joined = school.join(base_url, "ada")
        own = f"{joined.dataset_id}:user-ro:{joined.user_id}"
        with Peer(base_url, joined.client_certificate(), joined.dataset_id) as peer:
            yield Open(hub, peer, own, peer.create(own).json()["id"])


def test_session_that_there_never_was_is_not_found(opened: Open) -> None:
    peer = opened.peer

    assert peer.look(UNKNOWN).status_code == 404
    assert peer.proceed(UNKNOWN, "queuing").status_code == 404
    assert peer.close(UNKNOWN).status_code == 404
    assert "code" not in peer.look(UNKNOWN).json()
    # Morango tells nobody whether there are rows.
    assert peer.rows(UNKNOWN).status_code == 403
    assert "code" not in peer.rows(UNKNOWN).json()


def test_session_that_was_closed_is_not_found(opened: Open) -> None:
    opened.peer.proceed(opened.transfer_id, "queuing")
    with opened.hub:
        TransferSession.objects.update(active=False)

    assert opened.peer.look(opened.transfer_id).status_code == 404
    assert opened.peer.rows(opened.transfer_id).status_code == 403


def test_refused_session_is_answered_with_the_reason_whatever_is_asked(opened: Open) -> None:
    with opened.hub:
        refusal = SessionRefused("some_rule", "some rule was broken", {"partitions": ["a"]})
        end_transfer_session(opened.transfer_session(), refusal)

    answers = [
        opened.peer.look(opened.transfer_id),
        opened.peer.proceed(opened.transfer_id, "queuing"),
        opened.peer.rows(opened.transfer_id),
        opened.peer.create(opened.own, transfer_id=opened.transfer_id),
        opened.peer.close(opened.transfer_id),
    ]

    for answer in answers:
        assert answer.status_code == 403
        assert answer.json() == {"code": "some_rule", "detail": "some rule was broken", "partitions": ["a"]}


def test_refusing_one_session_leaves_the_others_of_the_same_sync_session(opened: Open) -> None:
    push = opened.peer.create(opened.own.replace("-ro:", "-rw:"), push=True).json()["id"]
    with opened.hub:
        end_transfer_session(opened.transfer_session(), SessionRefused("some_rule", "some rule was broken"))
        assert SyncSession.objects.get(id=opened.peer.id).active

    assert opened.peer.look(push).status_code == 200


def test_new_session_of_a_direction_closes_the_former_one(opened: Open) -> None:
    answer = opened.peer.create(opened.own)

    assert answer.status_code == 201
    assert answer.json()["id"] != opened.transfer_id
    with opened.hub:
        assert not opened.transfer_session().active


def test_same_session_is_given_when_it_is_asked_for_again(opened: Open) -> None:
    assert opened.peer.create(opened.own, transfer_id=opened.transfer_id).json()["id"] == opened.transfer_id
    with opened.hub:
        assert opened.transfer_session().active


@pytest.mark.parametrize("ending", ["'", "%", ":", "::x", ":\u00e9", ";--"])
def test_filter_that_only_begins_like_a_partition_is_refused(opened: Open, ending: str) -> None:
    answer = opened.peer.create(opened.own + ending)

    assert answer.status_code == 403
    assert answer.json()["code"] == "filter_malformed"
    assert answer.json()["partitions"]
