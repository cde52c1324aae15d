"""Sessions that a client of old, or one that asks twice at once, leaves behind: each can be gone on with, or ends."""

from __future__ import annotations

import uuid

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from morango.constants import transfer_stages, transfer_statuses
from morango.models.core import TransferSession

from morango_collection_sync.simulation.device import Device
from tests import school
from tests.conftest import NewDevice, Serve
from tests.sync.peer import Peer


@pytest.fixture
def tablet(new_device: NewDevice) -> Device:
    return new_device("tablet")


@pytest.fixture
def hub(new_device: NewDevice) -> Device:
    return new_device("hub")


@pytest.fixture
def joined(hub: Device, tablet: Device, serve: Serve) -> school.Joined:
    with hub:
        school.new_user(school.new_facility(), "ada")
    base_url = serve(hub)
    with tablet:
        return school.join(base_url, "ada")


def _own(joined: school.Joined) -> str:
    return f"{joined.dataset_id}:user-ro:{joined.user_id}"


def test_one_of_two_that_were_opened_at_once_is_taken_up_and_the_other_ends(
    hub: Device, tablet: Device, joined: school.Joined
) -> None:
    with tablet, Peer(joined.base_url, joined.client_certificate(), joined.dataset_id) as peer:
        first = peer.create(_own(joined)).json()["id"]
        with hub:
            second = TransferSession.objects.create(
                id=uuid.uuid4().hex,
                sync_session_id=peer.id,
                push=False,
                filter=_own(joined),
                last_activity_timestamp=timezone.now(),
                transfer_stage=transfer_stages.INITIALIZING,
                transfer_stage_status=transfer_statuses.COMPLETED,
            )

        answers = [peer.create(_own(joined), transfer_id=second.id) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    with hub:
        assert [each.id for each in TransferSession.objects.filter(active=True)] == [second.id] != [first]


def test_hub_does_not_wait_for_a_stage_that_has_been_reached(
    hub: Device, tablet: Device, joined: school.Joined
) -> None:
    with tablet, Peer(joined.base_url, joined.client_certificate(), joined.dataset_id, capabilities="") as peer:
        transfer_id = peer.create(_own(joined)).json()["id"]
        answer = peer.proceed(transfer_id, transfer_stages.QUEUING)

    assert answer.json()["transfer_stage_status"] == transfer_statuses.COMPLETED


def test_hub_does_not_wait_for_ever_for_what_a_client_says_it_has(
    hub: Device, tablet: Device, joined: school.Joined
) -> None:
    with tablet, Peer(joined.base_url, joined.client_certificate(), joined.dataset_id, capabilities="") as peer:
        transfer_id = peer.create(_own(joined)).json()["id"]
        with hub:
            queued = TransferSession.objects.get(id=transfer_id).records_total
        peer.proceed(transfer_id, transfer_stages.QUEUING, records_transferred=queued + 1)
        with override_settings(COLLECTION_SYNC={**settings.COLLECTION_SYNC, "SESSION_DEADLINE": 0}):
            closed = peer.close(transfer_id)

    assert closed.status_code == 400
    assert "does not come from the stage 'transferring' to 'cleanup'" in closed.text
