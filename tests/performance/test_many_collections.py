"""Sessions with more collections than one statement of Morango's takes, on either database."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from morango.models.core import (
    Buffer,
    DeletedModels,
    InstanceIDModel,
    RecordMaxCounter,
    RecordMaxCounterBuffer,
    Store,
    SyncSession,
    TransferSession,
)
from morango.sync.operations import _queue_into_buffer_v2

from course_assignment.facility.models import PROFILE, FacilityUser
from morango_collection_sync.applying import apply_stored
from morango_collection_sync.edits import serialize_edits
from morango_collection_sync.filter_counters import expanded, lacking
from morango_collection_sync.grants import Grant
from morango_collection_sync.holdings import cover_own_records
from morango_collection_sync.policy import get_policy
from morango_collection_sync.queuing import queue_lacking
from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.network import Network
from morango_collection_sync.value_lists import texts
from tests import school
from tests.performance.statements import Statements

MANY = 1100
"""Beyond every depth at which Morango's statements break on SQLite: 494, 997 and 998."""


@contextmanager
def _granted_too(collections: int) -> Iterator[None]:
    """Whoever is granted anything is granted as many collections more, of which there are no records."""
    more = frozenset(uuid.UUID(int=number).hex for number in range(1, collections + 1))
    policy = type(get_policy())
    right = policy.grant_for

    def grant_for(self: Any, user_id: str, dataset_id: str) -> Grant:
        grant = right(self, user_id, dataset_id)
        return Grant(dataset_id, grant.readable | more, grant.writable | more) if grant.readable else grant

    with mock.patch.object(policy, "grant_for", grant_for):
        yield


@pytest.fixture
def statements() -> Statements:
    return Statements()


@pytest.fixture
def devices(databases: Databases, statements: Statements) -> Iterator[tuple[Device, Device]]:
    made = tuple(Device(name, databases.new(), while_active=(statements.of(name),)) for name in ("hub", "tablet"))
    yield made  # type: ignore[misc]
    for device in made:
        device.database.drop()


def test_a_coach_of_any_number_of_collections_pulls_and_pushes_in_the_same_number_of_statements(
    devices: tuple[Device, Device], statements: Statements, network: Network
) -> None:
    hub, tablet = devices
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        coach = school.new_user(facility, "coach")
        school.new_role(coach, classroom)
    base_url = network.add(hub)
    with tablet:
        joined = school.join(base_url, "coach")
    counts, made = [], set()
    for collections in (5, 10, MANY):
        with _granted_too(collections):
            with tablet:
                joined.sync()
                assert school.held_assignments() == made
                made.add(f"made with {collections}")
                school.assign(classroom, f"made with {collections}")
                joined.sync()
                with statements.taken() as taken:
                    report = joined.sync()
                assert [transfer.records for transfer in report.transfers] == [0, 0]
            with hub:
                assert school.held_assignments() == made
        counts.append(taken)
    assert counts[1] == counts[2]


def test_records_of_any_number_of_partitions_are_serialized_queued_and_applied(device: Device) -> None:
    facility = school.new_facility()
    many = [_unsaved_user(facility.dataset_id, number) for number in range(MANY)]
    FacilityUser.objects.bulk_create(many)
    sync_filter = sorted(user._morango_partition for user in many)

    serialize_edits(PROFILE, [f"{facility.dataset_id}:allusers-ro", *sync_filter])
    told = cover_own_records(sync_filter, InstanceIDModel.get_or_create_current_instance()[0].id)
    session = _transfer_session(sync_filter)
    queue_lacking(session, lacking(expanded(told, sync_filter), {}))
    assert Buffer.objects.filter(transfer_session=session).count() == MANY

    FacilityUser.objects.filter(_morango_partition__in=texts(sync_filter)).delete()
    DeletedModels.objects.all().delete()
    Store.objects.filter(partition__in=texts(sync_filter)).update(dirty_bit=True)
    apply_stored(PROFILE, sync_filter)
    assert FacilityUser.objects.filter(username__startswith="many_").count() == MANY
    assert not Store.objects.filter(dirty_bit=True).exists()


INSTANCES = ["1" * 32, "2" * 32]
WORDS = st.lists(st.sampled_from(["a", "ab", "b"]), max_size=2).map(lambda words: ":".join(["d" * 32, *words]))
COUNTERS = st.dictionaries(st.sampled_from(INSTANCES), st.integers(1, 4), min_size=1)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(st.tuples(WORDS, st.sampled_from(INSTANCES), st.integers(1, 4)), max_size=8),
    sending=st.dictionaries(WORDS, COUNTERS, max_size=4),
    receiving=st.dictionaries(WORDS, COUNTERS, max_size=4),
)
def test_what_is_queued_is_what_morango_queues(
    device: Device, records: Any, sending: dict[str, Any], receiving: dict[str, Any]
) -> None:
    for model in (RecordMaxCounterBuffer, Buffer, TransferSession, SyncSession, RecordMaxCounter, Store):
        model.objects.all().delete()
    for partition, instance, counter in records:
        _store(partition, instance, counter)
    sync_filter = sorted({"d" * 32, *sending, *receiving})
    ours, theirs = (_transfer_session(sync_filter) for _ in range(2))
    theirs.client_fsic = json.dumps({"super": {}, "sub": sending})
    theirs.server_fsic = json.dumps({"super": {}, "sub": receiving})
    theirs.save()

    _queue_into_buffer_v2(theirs)
    declared = (expanded({"super": {}, "sub": counters}, sync_filter) for counters in (sending, receiving))
    queue_lacking(ours, lacking(*declared))

    assert _queued(ours) == _queued(theirs)


def _queued(session: TransferSession) -> tuple[set[Any], set[Any]]:
    left_out = ("id", "transfer_session")
    rows = []
    for model in (Buffer, RecordMaxCounterBuffer):
        names = [field.name for field in model._meta.fields if field.name not in left_out]
        rows.append(set(model.objects.filter(transfer_session=session).values_list(*names)))
    return rows[0], rows[1]


def _store(partition: str, instance: str, counter: int) -> None:
    record = Store.objects.create(
        id=uuid.uuid4().hex,
        profile=PROFILE,
        model_name="m",
        partition=partition,
        source_id="s",
        last_saved_instance=instance,
        last_saved_counter=counter,
        serialized="{}",
    )
    RecordMaxCounter.objects.create(store_model=record, instance_id=instance, counter=counter)


def _transfer_session(sync_filter: list[str]) -> TransferSession:
    now = timezone.now()
    sync_session = SyncSession.objects.create(id=uuid.uuid4().hex, profile=PROFILE, last_activity_timestamp=now)
    return TransferSession.objects.create(
        id=uuid.uuid4().hex,
        filter="\n".join(sync_filter),
        push=True,
        sync_session=sync_session,
        last_activity_timestamp=now,
    )


def _unsaved_user(dataset_id: str, number: int) -> FacilityUser:
    user = FacilityUser(dataset_id=dataset_id, username=f"many_{number}", password="!")
    user.id = user.calculate_uuid()
    return user
