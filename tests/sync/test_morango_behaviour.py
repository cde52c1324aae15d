"""What the sessions rest on in Morango: each of these fails when a release of it does otherwise (read in 0.8.15)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from morango.constants import transfer_stages, transfer_statuses
from morango.constants.capabilities import ASYNC_OPERATIONS, FSIC_V2_FORMAT
from morango.errors import MorangoContextUpdateError, MorangoResumeSyncError
from morango.models.certificates import Certificate, Filter
from morango.models.core import InstanceIDModel, SyncSession, TransferSession
from morango.registry import SessionMiddlewareOperations, session_middleware
from morango.sync.context import CompositeSessionContext, LocalSessionContext, NetworkSessionContext
from morango.sync.controller import SessionController, SessionControllerSignals
from morango.sync.operations import (
    InitializeOperation,
    LocalOperation,
    NetworkInitializeOperation,
    ProducerQueueOperation,
    SerializeOperation,
)
from morango.sync.syncsession import NetworkSyncConnection
from requests.exceptions import HTTPError

from course_assignment.facility.models import PROFILE
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.conftest import NewDevice, Serve

MODERN = {ASYNC_OPERATIONS, FSIC_V2_FORMAT}


@pytest.fixture
def sync_session(device: Device) -> SyncSession:
    """A session of a hub with itself, which is enough for one side."""
    school.new_facility()
    certificate = Certificate.objects.get()
    return SyncSession.objects.create(
        id=uuid.uuid4().hex,
        last_activity_timestamp=timezone.now(),
        profile=PROFILE,
        client_certificate=certificate,
        server_certificate=certificate,
        connection_kind="network",
        connection_path="http://hub/",
    )


def _dataset(sync_session: SyncSession) -> str:
    return str(sync_session.server_certificate_id)


def _on_hub(sync_session: SyncSession, sync_filter: str, *, push: bool = False) -> LocalSessionContext:
    """The context of a request for a new transfer session."""
    request = SimpleNamespace(data={"id": uuid.uuid4().hex, "client_fsic": '{"sub": {}, "super": {}}'})
    return LocalSessionContext(
        request=request,
        sync_session=sync_session,
        sync_filter=Filter(sync_filter),
        is_push=push,
        capabilities=MODERN,
    )


def _operations(stage: str, *operations: Callable[[Any], Any]) -> SessionMiddlewareOperations:
    group = SessionMiddlewareOperations(stage)
    group.extend(operations)
    return group


class Adding(LocalOperation):
    """Lets the filter grow and leaves the rest to the next operation."""

    def __init__(self, partition: str) -> None:
        self.partition = partition

    def handle(self, context: LocalSessionContext) -> bool:
        context.update(sync_filter=Filter("\n".join((*context.filter, self.partition))))
        return False


def test_operation_that_returns_false_lets_the_filter_grow_while_initializing(sync_session: SyncSession) -> None:
    dataset = _dataset(sync_session)
    context = _on_hub(sync_session, f"{dataset}:allusers-ro")
    stage = _operations("initializing", Adding(f"{dataset}:{'c' * 32}"), InitializeOperation())

    assert stage(context) == transfer_statuses.COMPLETED
    assert set(TransferSession.objects.get().get_filter()) == {f"{dataset}:allusers-ro", f"{dataset}:{'c' * 32}"}


def test_filter_never_shrinks(sync_session: SyncSession) -> None:
    dataset = _dataset(sync_session)
    context = _on_hub(sync_session, f"{dataset}:a\n{dataset}:b")

    with pytest.raises(MorangoContextUpdateError):
        context.update(sync_filter=Filter(f"{dataset}:a"))


def test_filter_does_not_grow_after_initializing(sync_session: SyncSession) -> None:
    dataset = _dataset(sync_session)
    context = _on_hub(sync_session, f"{dataset}:a")
    InitializeOperation()(context)
    context.update(stage=transfer_stages.SERIALIZING)

    with pytest.raises(MorangoContextUpdateError):
        context.update(sync_filter=Filter(f"{dataset}:a\n{dataset}:b"))


def test_transfer_session_is_resumed_by_its_sync_session_and_direction_whatever_its_id_is(
    sync_session: SyncSession,
) -> None:
    contexts = [_on_hub(sync_session, _dataset(sync_session), push=push) for push in (False, False, True)]
    for context in contexts:
        InitializeOperation()(context)

    pull, again, push = (context.transfer_session.id for context in contexts)
    assert pull == contexts[0].request.data["id"]
    assert again == pull != contexts[1].request.data["id"]
    assert push == contexts[2].request.data["id"]


def test_client_asks_for_a_transfer_session_by_one_method_and_takes_no_filter_from_the_answer() -> None:
    context = NetworkSessionContext(None, sync_filter=Filter("a"), capabilities=MODERN)
    context.transfer_session = SimpleNamespace(id="t")
    asked = []

    class Asking(NetworkInitializeOperation):
        def create_transfer_session(self, context: NetworkSessionContext) -> dict[str, str]:
            asked.append(context)
            return {"filter": "a\nb"}

    assert Asking()(context) == transfer_statuses.COMPLETED
    assert asked == [context]
    assert context.filter == Filter("a")


def test_records_are_counted_when_all_are_queued_and_cannot_be_queued_twice(sync_session: SyncSession) -> None:
    context = _on_hub(sync_session, _dataset(sync_session))
    InitializeOperation()(context)
    SerializeOperation()(context)
    assert context.transfer_session.records_total is None
    ProducerQueueOperation()(context)
    assert context.transfer_session.records_total > 0

    with pytest.raises(IntegrityError), transaction.atomic():
        ProducerQueueOperation()(context)


def test_failed_stage_is_noted_in_the_transfer_session_and_its_error_in_the_context(
    sync_session: SyncSession,
) -> None:
    def fail(context: Any) -> None:
        raise ValueError("broken")

    controller = SessionController(
        [_operations("initializing", InitializeOperation()), _operations("serializing", fail)],
        SessionControllerSignals(),
    )
    context = _on_hub(sync_session, _dataset(sync_session))

    assert controller.proceed_to("serializing", context) == transfer_statuses.ERRORED
    assert isinstance(context.error, ValueError)
    assert context.transfer_session.transfer_stage == "serializing"
    assert context.transfer_session.transfer_stage_status == transfer_statuses.ERRORED


def test_two_halves_of_a_stage_take_turns_and_looking_whose_it_is_changes_nothing(sync_session: SyncSession) -> None:
    context = CompositeSessionContext(
        [LocalSessionContext(), NetworkSessionContext(None)], sync_session=sync_session, is_push=False
    )
    controller = SessionController(
        [_operations("initializing", lambda half: transfer_statuses.COMPLETED)], SessionControllerSignals()
    )

    assert [type(context.prepare()) for _ in range(3)] == [LocalSessionContext] * 3
    assert controller.proceed_to("initializing", context) == transfer_statuses.PENDING
    assert [type(context.prepare()) for _ in range(3)] == [NetworkSessionContext] * 3
    assert controller.proceed_to("initializing", context) == transfer_statuses.COMPLETED


def test_every_stage_has_its_operations_in_a_list_of_the_process() -> None:
    assert [group.related_stage for group in session_middleware] == [
        "initializing",
        "serializing",
        "queuing",
        "transferring",
        "dequeuing",
        "deserializing",
        "cleanup",
    ]


def test_resuming_fails_with_the_answer_as_its_cause_only_where_the_hub_has_answered(
    new_device: NewDevice, serve: Serve, sync_session: SyncSession
) -> None:
    InstanceIDModel.get_or_create_current_instance()
    connection = NetworkSyncConnection(base_url=serve(new_device("hub")), retries=0)

    with pytest.raises(MorangoResumeSyncError) as unknown_to_the_hub:
        connection.resume_sync_session(sync_session.id)
    sync_session.process_id = os.getppid()
    sync_session.save()
    with pytest.raises(MorangoResumeSyncError) as at_work:
        connection.resume_sync_session(sync_session.id)
    connection.close()

    assert isinstance(unknown_to_the_hub.value.__cause__, HTTPError)
    assert at_work.value.__cause__ is None
