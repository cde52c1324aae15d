"""Two requests of one session that meet at the hub: the later stage stands."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

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
        yield _context(push=True, at=transfer_stages.DEQUEUING, status=transfer_statuses.STARTED)


@pytest.fixture
def pull_of_nothing(new_device: NewDevice) -> Iterator[HubContext]:
    with new_device("hub"):
        yield _context(push=False, at=transfer_stages.QUEUING, status=transfer_statuses.COMPLETED, records_total=0)


def _context(*, push: bool, at: str, status: str, records_total: int | None = None) -> HubContext:
    now = timezone.now()
    sync_session = SyncSession.objects.create(
        id=uuid.uuid4().hex, profile=PROFILE, start_timestamp=now, last_activity_timestamp=now
    )
    session = TransferSession.objects.create(
        id=uuid.uuid4().hex,
        sync_session=sync_session,
        filter="0" * 32,
        push=push,
        records_total=records_total,
        start_timestamp=now,
        last_activity_timestamp=now,
        transfer_stage=at,
        transfer_stage_status=status,
    )
    return HubContext(request=None, sync_session=sync_session, transfer_session=session)


def _stored() -> TransferSession:
    return TransferSession.objects.get()


def _noted() -> tuple[str, str]:
    return _stored().transfer_stage, _stored().transfer_stage_status


def test_status_of_a_stage_that_another_request_has_passed_is_not_noted(context: HubContext) -> None:
    TransferSession.objects.update(
        transfer_stage=transfer_stages.DESERIALIZING, transfer_stage_status=transfer_statuses.COMPLETED
    )

    context.update_state(stage_status=transfer_statuses.ERRORED)

    assert _noted() == (transfer_stages.DESERIALIZING, transfer_statuses.COMPLETED)


def test_status_of_the_stage_that_it_is_at_is_noted(context: HubContext) -> None:
    context.update_state(stage_status=transfer_statuses.ERRORED)

    assert _noted() == (transfer_stages.DEQUEUING, transfer_statuses.ERRORED)


def test_end_of_a_stage_is_noted_at_the_end_of_the_request(context: HubContext) -> None:
    with context:
        context.update_state(stage_status=transfer_statuses.COMPLETED)

    assert _noted() == (transfer_stages.DEQUEUING, transfer_statuses.COMPLETED)


def test_end_of_a_stage_that_another_request_has_passed_is_not_noted(context: HubContext) -> None:
    with context:
        TransferSession.objects.update(
            transfer_stage=transfer_stages.DESERIALIZING, transfer_stage_status=transfer_statuses.PENDING
        )
        context.update_state(stage_status=transfer_statuses.COMPLETED)

    assert _noted() == (transfer_stages.DESERIALIZING, transfer_statuses.PENDING)


def _die_at_the_end_of(context: HubContext, stage: str) -> None:
    with context:
        context.update_state(stage=stage, stage_status=transfer_statuses.PENDING)
        context.update_state(stage_status=transfer_statuses.COMPLETED)
        raise KeyboardInterrupt


def test_stage_has_begun_when_its_process_dies_at_its_end(context: HubContext) -> None:
    with pytest.raises(KeyboardInterrupt):
        _die_at_the_end_of(context, transfer_stages.DESERIALIZING)

    assert _noted() == (transfer_stages.DESERIALIZING, transfer_statuses.PENDING)


def test_stage_begins_in_the_database_before_anything_of_it_is_done(context: HubContext) -> None:
    context.update_state(stage_status=transfer_statuses.COMPLETED)
    context.update_state(stage=transfer_stages.DESERIALIZING, stage_status=transfer_statuses.PENDING)

    assert _noted() == (transfer_stages.DESERIALIZING, transfer_statuses.PENDING)


def test_stages_at_which_there_is_nothing_to_do_are_passed_without_a_word(pull_of_nothing: HubContext) -> None:
    with pull_of_nothing as context:
        for stage in (transfer_stages.TRANSFERRING, transfer_stages.DEQUEUING):
            context.update_state(stage=stage, stage_status=transfer_statuses.PENDING)
            context.update_state(stage_status=transfer_statuses.COMPLETED)
            assert _noted() == (transfer_stages.QUEUING, transfer_statuses.COMPLETED)

    assert _noted() == (transfer_stages.DEQUEUING, transfer_statuses.COMPLETED)


def test_pull_of_nothing_that_another_request_has_ended_is_not_cleaned_up_again(pull_of_nothing: HubContext) -> None:
    pull_of_nothing.update_state(stage=transfer_stages.DESERIALIZING, stage_status=transfer_statuses.PENDING)
    pull_of_nothing.update_state(stage_status=transfer_statuses.COMPLETED)
    TransferSession.objects.update(active=False, transfer_stage=transfer_stages.CLEANUP)

    with pytest.raises(ValueError, match="has ended"):
        pull_of_nothing.update_state(stage=transfer_stages.CLEANUP, stage_status=transfer_statuses.PENDING)


def test_failure_is_not_noted_where_another_request_has_ended_the_stage(context: HubContext) -> None:
    TransferSession.objects.update(transfer_stage_status=transfer_statuses.COMPLETED)

    context.update_state(stage_status=transfer_statuses.ERRORED)

    assert _noted() == (transfer_stages.DEQUEUING, transfer_statuses.COMPLETED)


def test_stage_with_nothing_to_do_is_not_waited_for_in_a_session_that_has_ended(pull_of_nothing: HubContext) -> None:
    pull_of_nothing.update_state(stage=transfer_stages.TRANSFERRING, stage_status=transfer_statuses.PENDING)
    TransferSession.objects.update(active=False)

    with pytest.raises(ValueError, match="has ended"):
        pull_of_nothing.update_state(stage_status=transfer_statuses.PENDING)


def test_session_that_another_request_has_ended_comes_to_no_further_stage(context: HubContext) -> None:
    TransferSession.objects.update(active=False)

    with pytest.raises(ValueError, match="has ended"):
        context.update_state(stage=transfer_stages.DESERIALIZING)

    assert _stored().transfer_stage == transfer_stages.DEQUEUING


def test_session_that_another_request_has_brought_further_does_not_go_back(context: HubContext) -> None:
    TransferSession.objects.update(transfer_stage=transfer_stages.CLEANUP)

    with pytest.raises(ValueError, match="does not go back"):
        context.update_state(stage=transfer_stages.DESERIALIZING, stage_status=transfer_statuses.PENDING)
    # As Morango's controller does with any failure.
    context.update_state(stage_status=transfer_statuses.ERRORED)

    assert _noted() == (transfer_stages.CLEANUP, transfer_statuses.STARTED)


def test_stage_begins_where_another_request_has_only_ended_the_one_before(context: HubContext) -> None:
    TransferSession.objects.update(transfer_stage_status=transfer_statuses.COMPLETED)

    context.update_state(stage=transfer_stages.DESERIALIZING, stage_status=transfer_statuses.PENDING)

    assert _noted() == (transfer_stages.DESERIALIZING, transfer_statuses.PENDING)


def test_last_activity_of_a_sync_session_is_noted_once_a_minute(context: HubContext) -> None:
    SyncSession.objects.update(last_activity_timestamp=timezone.now() - timedelta(minutes=2))
    context.sync_session.refresh_from_db()
    before = context.sync_session.last_activity_timestamp

    context.update_state(stage=transfer_stages.DESERIALIZING, stage_status=transfer_statuses.PENDING)
    noted = SyncSession.objects.get().last_activity_timestamp
    context.update_state(stage=transfer_stages.CLEANUP, stage_status=transfer_statuses.PENDING)

    assert before < noted == SyncSession.objects.get().last_activity_timestamp


def test_last_activity_of_a_clock_that_was_ahead_is_corrected(context: HubContext) -> None:
    context.sync_session.last_activity_timestamp = timezone.now() + timedelta(days=400)

    context.update_state(stage=transfer_stages.DESERIALIZING, stage_status=transfer_statuses.PENDING)

    assert SyncSession.objects.get().last_activity_timestamp <= timezone.now()
