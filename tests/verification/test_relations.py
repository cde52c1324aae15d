"""What unsaved records refer to is read together, from wherever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from morango.models.core import Buffer, InstanceIDModel, Store, SyncSession, TransferSession
from morango.sync.controller import MorangoProfileController

from course_assignment.facility.models import PROFILE, Collection, Membership
from morango_collection_sync.relations import attach_relations
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.verification.records import Scope, Sender
from morango_collection_sync.verifier import CHUNK, RecordVerifier
from tests import school
from tests.hostile.town import assignment, record


@pytest.fixture
def session(device: Device) -> TransferSession:
    """A push that has come to its last record, on a device that knows who it is."""
    InstanceIDModel.get_or_create_current_instance()
    now = timezone.now()
    sync_session = SyncSession.objects.create(id="5" * 32, profile=PROFILE, last_activity_timestamp=now)
    return TransferSession.objects.create(
        id="6" * 32, push=True, filter="", sync_session=sync_session, last_activity_timestamp=now
    )


@pytest.fixture
def group(session: TransferSession) -> Collection:
    """A group in a class, both of them in the database."""
    facility = school.new_facility()
    return school.new_group(school.new_classroom(facility, "A"), "A1")


def _buffer(session: TransferSession, **row: Any) -> Buffer:
    row.pop("counters")
    return Buffer(transfer_session=session, **row)


def _unsaved(collection_id: str, group: Collection) -> Membership:
    return Membership(dataset_id=group.dataset_id, user_id="7" * 32, collection_id=collection_id)


def test_rows_of_the_database_are_attached_with_those_above_them(session: TransferSession, group: Collection) -> None:
    membership = _unsaved(group.id, group)

    attach_relations([membership], session)

    with CaptureQueriesContext(connection) as queries:
        assert membership.collection.parent.parent.kind == "facility"
    assert len(queries) == 0


def test_deleted_row_is_found_in_the_store(session: TransferSession, group: Collection) -> None:
    gone = "8" * 32
    content = {"id": gone, "name": "gone", "kind": "learnergroup", "parent_id": group.parent_id}
    Store.objects.create(
        id=gone,
        model_name="collection",
        profile=PROFILE,
        partition="p",
        source_id="s",
        serialized=json.dumps(content),
        deleted=True,
        last_saved_instance="9" * 32,
        last_saved_counter=1,
    )
    membership = _unsaved(gone, group)

    attach_relations([membership], session)

    assert membership.collection.parent.name == "A"


def test_record_of_the_same_session_counts(session: TransferSession, group: Collection) -> None:
    row = record("collection", "p", "s", {"name": "sent along", "parent_id": group.parent_id})
    _buffer(session, **row).save()
    membership = _unsaved(row["model_uuid"], group)

    attach_relations([membership], session)

    assert membership.collection.name == "sent along"


def test_row_of_the_database_counts_before_what_is_stored_or_sent(session: TransferSession, group: Collection) -> None:
    _buffer(session, **record("collection", "p", "s", {"name": "forged"}, model_uuid=group.id)).save()
    MorangoProfileController(PROFILE).serialize_into_store()
    Store.objects.filter(id=group.id).update(serialized=json.dumps({"id": group.id, "name": "not applied yet"}))
    membership = _unsaved(group.id, group)

    attach_relations([membership], session)

    assert membership.collection.name == "A1"


def test_what_is_nowhere_stays_out(session: TransferSession, group: Collection) -> None:
    membership = _unsaved("8" * 32, group)

    attach_relations([membership], session)

    with pytest.raises(Collection.DoesNotExist):
        membership.collection.id  # noqa: B018 - reading it is what fails


def _statements(session: TransferSession, group: Collection, number: int) -> int:
    partition = f"{group.dataset_id}:{group.id}"
    rows = (
        record("courseassignment", partition, f"{n:032x}", assignment(partition, course=f"{n:032x}"))
        for n in range(number)
    )
    Buffer.objects.all().delete()
    Buffer.objects.bulk_create([_buffer(session, **row) for row in rows])
    scope = Scope(group.dataset_id, PROFILE, (partition,), (partition,))
    with CaptureQueriesContext(connection) as queries:
        assert RecordVerifier(session, scope, Sender.MEMBER).first_finding() is None
    return len(queries)


def test_chunk_of_records_takes_the_same_statements_whatever_is_in_it(
    session: TransferSession, group: Collection
) -> None:
    one, chunk, three_chunks = (_statements(session, group, number) for number in (1, CHUNK, 3 * CHUNK))

    assert one == chunk
    assert three_chunks - chunk == 2 * 3
