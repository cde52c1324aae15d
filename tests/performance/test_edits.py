"""Where nothing was edited nothing is serialized: whoever syncs has everything all the same, deletions most of all."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from morango.models.certificates import Filter
from morango.models.core import (
    Buffer,
    DatabaseMaxCounter,
    DeletedModels,
    InstanceIDModel,
    RecordMaxCounter,
    Store,
    SyncSession,
    TransferSession,
)
from morango.sync.controller import MorangoProfileController

from course_assignment.facility.models import PROFILE, Collection, CourseAssignment
from morango_collection_sync.edits import serialize_edits
from morango_collection_sync.filter_counters import expanded, lacking
from morango_collection_sync.holdings import cover_own_records
from morango_collection_sync.queuing import queue_lacking
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.performance.statements import Statements

COURSES = [uuid.UUID(int=number).hex for number in range(1, 3)]
RECORDS = st.tuples(st.sampled_from("AB"), st.sampled_from(COURSES))
ACTIONS = st.one_of(
    st.tuples(st.sampled_from(["write", "delete"]), RECORDS),
    st.tuples(st.just("sync"), st.sampled_from(["A", "B", "AB"])),
    st.tuples(st.just("serialize as Morango does"), st.sampled_from(["A", "B"])),
)
FIRST = ("A", COURSES[0])


class Receiver:
    """A peer that syncs some collections, as far as it goes without a database."""

    def __init__(self, sync_filter: list[str]) -> None:
        self.sync_filter = sync_filter
        self.counters: dict[str, dict[str, int]] = {}
        self.titles: dict[str, str] = {}

    def pull(self) -> None:
        """Take what the device tells of and this peer lacks."""
        serialize_edits(PROFILE, self.sync_filter)
        told = cover_own_records(self.sync_filter, InstanceIDModel.get_or_create_current_instance()[0].id)
        missing = lacking(expanded(told, self.sync_filter), self.counters)
        session = _transfer_session()
        queue_lacking(session, missing)
        for row in Buffer.objects.filter(transfer_session=session):
            self.titles.pop(row.model_uuid, None)
            if not row.deleted:
                self.titles[row.model_uuid] = json.loads(row.serialized)["title"]
        # As Morango does, it notes only what is told of the partitions inside the filter.
        for partition, held in told["sub"].items():
            known = self.counters.setdefault(partition, {})
            known.update({instance: max(counter, known.get(instance, 0)) for instance, counter in held.items()})


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
# The deletion goes along with the other collection's sync, in which no counter of its own partition moves.
@example(history=[("write", FIRST), ("sync", "A"), ("delete", FIRST), ("sync", "B")])
@example(history=[("write", FIRST), ("sync", "A"), ("delete", FIRST), ("serialize as Morango does", "B")])
@given(history=st.lists(ACTIONS, max_size=12))
def test_after_any_history_a_sync_brings_everything(device: Device, history: list[Any]) -> None:
    collections = _two_collections()
    partitions = {name: f"{each.dataset_id}:{each.id}" for name, each in collections.items()}
    receivers = {names: Receiver([partitions[name] for name in names]) for names in ("A", "B", "AB")}
    for number, (action, target) in enumerate(history):
        if action == "sync":
            receivers[target].pull()
        elif action == "serialize as Morango does":
            MorangoProfileController(PROFILE).serialize_into_store(filter=Filter(partitions[target]))
        else:
            _change(action, collections[target[0]], target[1], f"title {number}")
    for names, receiver in receivers.items():
        receiver.pull()
        wanted = CourseAssignment.objects.filter(collection__in=[collections[name] for name in names])
        assert receiver.titles == dict(wanted.values_list("id", "title"))
        pulled = dict(receiver.counters)
        receiver.pull()
        assert receiver.counters == pulled


def test_nothing_is_written_where_nothing_was_edited(device: Device) -> None:
    collections = _two_collections()
    partitions = [f"{each.dataset_id}:{each.id}" for each in collections.values()]
    _change("write", collections["A"], COURSES[0], "title")
    instance, _ = InstanceIDModel.get_or_create_current_instance()
    serialize_edits(PROFILE, partitions)
    cover_own_records(partitions, instance.id)
    before = InstanceIDModel.objects.get().counter, list(DatabaseMaxCounter.objects.values())

    statements = Statements()
    with statements.of("device")(), statements.taken() as taken:
        serialize_edits(PROFILE, partitions)
        cover_own_records(partitions, instance.id)

    assert taken == {"device": 4}
    assert before == (InstanceIDModel.objects.get().counter, list(DatabaseMaxCounter.objects.values()))


def _two_collections() -> dict[str, Collection]:
    for model in (Buffer, CourseAssignment, DeletedModels, RecordMaxCounter, Store, DatabaseMaxCounter):
        model.objects.all().delete()
    DeletedModels.objects.all().delete()
    found = {each.name: each for each in Collection.objects.filter(name__in="AB")}
    if not found:
        facility = school.new_facility()
        found = {name: school.new_classroom(facility, name) for name in "AB"}
    return found


def _change(action: str, collection: Collection, course: str, title: str) -> None:
    here = CourseAssignment.objects.filter(collection=collection, course=course).first()
    if action == "delete":
        if here is not None:
            here.delete()
    elif here is None:
        school.assign(collection, title, course=course, active=False)
    else:
        here.title = title
        here.save()


def _transfer_session() -> TransferSession:
    now = timezone.now()
    sync_session = SyncSession.objects.create(id=uuid.uuid4().hex, profile=PROFILE, last_activity_timestamp=now)
    return TransferSession.objects.create(
        id=uuid.uuid4().hex, filter="", push=False, sync_session=sync_session, last_activity_timestamp=now
    )
