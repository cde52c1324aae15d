"""Nothing lies undelivered: a record that came too early is applied as soon as it can be, or is named."""

from __future__ import annotations

import json
import uuid

import pytest
from morango.models.core import Store

from course_assignment.facility.models import PROFILE, Collection, CourseAssignment
from morango_collection_sync.audit import AuditedKind, audit
from morango_collection_sync.undelivered import deliver_waiting, undelivered
from tests import school
from tests.release.town import Town, held, pulled, titles
from tests.school import Joined


def _take_back(title: str, error: str | None = "its collection has not come") -> str:
    """Let this record be one that has come and could not be applied."""
    row = CourseAssignment.objects.get(title=title)
    CourseAssignment.objects.filter(id=row.id)._raw_delete("default")
    Store.objects.filter(id=row.id).update(dirty_bit=True, deserialization_error=error)
    return str(row.id)


def _receive_record_of(town: Town, collection_id: str) -> str:
    """Let a record of this collection have come, as a hub stores it."""
    course = uuid.uuid4().hex
    partition = f"{town.dataset_id}:{collection_id}"
    assignment = CourseAssignment(dataset_id=town.dataset_id, collection_id=collection_id, course=course, title="early")
    record_id = CourseAssignment.compute_namespaced_id(partition, course, "courseassignment")
    assignment.id, assignment._morango_source_id, assignment._morango_partition = record_id, course, partition
    Store.objects.create(
        id=record_id,
        partition=partition,
        profile=PROFILE,
        serialized=json.dumps(assignment.serialize()),
        last_saved_instance=uuid.uuid4().hex,
        last_saved_counter=1,
        model_name="courseassignment",
        source_id=course,
        dirty_bit=True,
    )
    return str(record_id)


def test_a_sync_that_transfers_nothing_applies_what_waits(town: Town, joined: Joined) -> None:
    _take_back("a0")
    report = joined.sync()
    assert report.records(push=False) == 0
    assert titles(town.class_a) == {"a0", "a1", "a2"}
    assert not undelivered(PROFILE, town.dataset_id)


def test_a_record_that_came_before_its_collection_is_applied_with_it(town: Town, joined: Joined) -> None:
    with town.hub:
        new = school.new_classroom(town.facility, "C")
        early = school.assign(new, "early")
    town.make_coach(town.ada, town.class_a)
    # The hub's record comes by hand, ahead of the class's own row.
    _receive_record_of(town, new.id)
    deliver_waiting(PROFILE, town.dataset_id)
    (waiting,) = undelivered(PROFILE, town.dataset_id)
    assert new.id in waiting.reason
    town.enrol(town.ada, new)
    joined.sync()
    assert CourseAssignment.objects.filter(collection_id=new.id).count() == 2
    assert CourseAssignment.objects.filter(id=early.id).exists()
    assert not undelivered(PROFILE, town.dataset_id)


def test_what_cannot_be_applied_is_named_with_its_reason(town: Town, joined: Joined) -> None:
    record_id = _receive_record_of(town, town.class_a.id)
    broken = json.loads(Store.objects.get(id=record_id).serialized)
    broken["collection_id"] = uuid.uuid4().hex
    Store.objects.filter(id=record_id).update(serialized=json.dumps(broken))

    assert pulled(joined.sync()).undelivered == 1

    (waiting,) = undelivered(PROFILE, town.dataset_id)
    assert waiting.record_id == record_id
    (finding,) = (found for found in audit(PROFILE, town.dataset_id) if found.kind is AuditedKind.UNDELIVERED)
    assert (finding.record_id, finding.reason) == (record_id, waiting.reason)
    assert "collection" in finding.reason


def test_a_release_takes_what_waits_along(town: Town, joined: Joined) -> None:
    _receive_record_of(town, uuid.uuid4().hex)
    _take_back("a0")
    town.withdraw(town.ada, town.class_a)
    joined.sync()
    assert not held(town.partition(town.class_a))
    assert not undelivered(PROFILE, town.dataset_id)
    assert not Store.objects.filter(model_name="courseassignment").exists()


@pytest.mark.parametrize("collections", [3, 900])
def test_rows_and_records_that_wait_together_are_applied_together(town: Town, joined: Joined, collections: int) -> None:
    """More partitions than fit into one statement, and the rows of their collections among what waits."""
    facility = Collection.objects.get(kind="facility")
    made = []
    for number in range(3):
        classroom = school.new_classroom(facility, f"class {number}")
        made.append(school.assign(classroom, f"early {number}"))
    from morango.sync.controller import MorangoProfileController

    MorangoProfileController(PROFILE).serialize_into_store()
    ids = {assignment.id for assignment in made} | {assignment.collection_id for assignment in made}
    CourseAssignment.objects.filter(id__in=ids)._raw_delete("default")
    Collection.objects.filter(id__in=ids)._raw_delete("default")
    Store.objects.filter(id__in=ids).update(dirty_bit=True)
    # Others that can never be applied fill the statements.
    for _ in range(collections):
        partition = f"{town.dataset_id}:{uuid.uuid4().hex}"
        Store.objects.create(
            id=uuid.uuid4().hex,
            partition=partition,
            profile=PROFILE,
            serialized="{}",
            last_saved_instance=uuid.uuid4().hex,
            last_saved_counter=1,
            model_name="courseassignment",
            source_id="1",
            dirty_bit=True,
        )

    deliver_waiting(PROFILE, town.dataset_id)

    assert CourseAssignment.objects.filter(id__in=ids).count() == 3
