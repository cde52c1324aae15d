"""Two requests of one session that meet at the hub: the later stage stands."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.utils import timezone
from morango.constants import transfer_stages, transfer_statuses
from morango.models.core import SyncSession, TransferSession

from course_assignment.facility.models import PROFILE
from morango_collection_sync.hub_context import HubContext
from tests.conftest import NewDevice


@pytest.fixture
def context(new_device: NewDevice) -> Iterator[HubContext]:
    with new_device("hub"):
        yield _context()


def _context() -> HubContext:
    now = timezone.now()
    sync_session = SyncSession.objects.create(
        id=uuid.uuid4().hex, profile=PROFILE, start_timestamp=now, last_activity_timestamp=now
    )
    session = TransferSession.objects.create(
        id=uuid.uuid4().hex,
        sync_session=sync_session,
        filter="0" * 32,
        push=True,
        start_timestamp=now,
        last_activity_timestamp=now,
        transfer_stage=transfer_stages.DEQUEUING,
        transfer_stage_status=transfer_statuses.STARTED,
    )
    return HubContext(request=None, sync_session=sync_session, transfer_session=session)


def _stored() -> TransferSession:
    return TransferSession.objects.get()


def test_status_of_a_stage_that_another_request_has_passed_is_not_noted(context: HubContext) -> None:
    TransferSession.objects.update(
        transfer_stage=transfer_stages.DESERIALIZING, transfer_stage_status=transfer_statuses.COMPLETED
    )

    context.update_state(stage_status=transfer_statuses.ERRORED)

    assert (_stored().transfer_stage, _stored().transfer_stage_status) == (
        transfer_stages.DESERIALIZING,
        transfer_statuses.COMPLETED,
    )


def test_status_of_the_stage_that_it_is_at_is_noted(context: HubContext) -> None:
    context.update_state(stage_status=transfer_statuses.COMPLETED)

    assert _stored().transfer_stage_status == transfer_statuses.COMPLETED


def test_session_that_another_request_has_ended_comes_to_no_further_stage(context: HubContext) -> None:
    TransferSession.objects.update(active=False)

    with pytest.raises(ValueError, match="has ended"):
        context.update_state(stage=transfer_stages.DESERIALIZING)

    assert _stored().transfer_stage == transfer_stages.DEQUEUING


def test_session_that_another_request_has_brought_further_does_not_go_back(context: HubContext) -> None:
    TransferSession.objects.update(transfer_stage=transfer_stages.CLEANUP)

    with pytest.raises(ValueError, match="does not go back"):
        context.update_state(stage=transfer_stages.DESERIALIZING, stage_status=transfer_statuses.PENDING)

    assert _stored().transfer_stage == transfer_stages.CLEANUP
