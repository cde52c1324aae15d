"""Applying many records in few statements: the same rows, and the same said of each record, as one by one."""

from __future__ import annotations

import json
import uuid
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from morango.models.core import DeletedModels, HardDeletedModels, Store

from course_assignment.facility.models import PROFILE, Collection, CourseAssignment
from morango_collection_sync.applying import apply_stored
from morango_collection_sync.edits import serialize_edits
from morango_collection_sync.partitions import collection_partition
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.performance.statements import Statements

COURSES = [uuid.UUID(int=number).hex for number in range(1, 7)]
CHANGES = [
    "as it is",
    "another title",
    "no title",
    "title too long",
    "no json",
    "another course",
    "deleted",
    "erased",
    "unknown field",
    "field left out",
    "no dataset",
]


@pytest.fixture
def school_of_three(device: Device) -> list[Collection]:
    """A classroom, one that is deleted for the peers, and one of which nothing has arrived."""
    facility = school.new_facility()
    here, deleted, unknown = (school.new_classroom(facility, name) for name in ("here", "deleted", "unknown"))
    serialize_edits(PROFILE, [facility.dataset_id])
    Store.objects.filter(id=deleted.id).update(deleted=True)
    Store.objects.filter(id=unknown.id).delete()
    for collection in (deleted, unknown):
        Collection.objects.filter(id=collection.id).delete()
    DeletedModels.objects.all().delete()
    return [here, deleted, unknown]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.dictionaries(
        st.tuples(st.integers(0, 2), st.sampled_from(COURSES)),
        st.tuples(st.sampled_from(CHANGES), st.booleans()),
        max_size=6,
    )
)
def test_what_is_applied_together_is_what_is_applied_one_by_one(
    school_of_three: list[Collection], records: dict[Any, Any]
) -> None:
    sync_filter = [collection._morango_partition.split(":")[0] for collection in school_of_three[:1]]
    _fill(school_of_three, records)
    apply_stored(PROFILE, sync_filter)
    applied_together = _everything()

    _fill(school_of_three, records)
    with mock.patch.object(CourseAssignment, "applied_together", False):
        apply_stored(PROFILE, sync_filter)

    assert applied_together == _everything()


def test_a_row_that_the_database_refuses_keeps_no_other_from_being_applied(school_of_three: list[Collection]) -> None:
    here = school_of_three[0]
    _fill(school_of_three, {(0, course): ("as it is", False) for course in COURSES})
    with mock.patch.object(CourseAssignment, "write_together", side_effect=IntegrityError):
        apply_stored(PROFILE, [here.dataset_id])
    assert CourseAssignment.objects.count() == len(COURSES)
    assert not Store.objects.filter(dirty_bit=True).exists()


def test_a_record_that_save_would_refuse_is_left_to_it(school_of_three: list[Collection]) -> None:
    here = school_of_three[0]
    _fill(school_of_three, {(0, course): ("as it is", False) for course in COURSES[:2]})

    def refuse_one(row: CourseAssignment) -> None:
        if row.course == COURSES[0]:
            raise ValueError("refused")

    saved: list[str] = []
    right = CourseAssignment.save

    def save(row: CourseAssignment, *args: Any, **kwargs: Any) -> None:
        saved.append(row.course)
        right(row, *args, **kwargs)

    with mock.patch.multiple(CourseAssignment, before_written=refuse_one, save=save):
        apply_stored(PROFILE, [here.dataset_id])
    assert saved == [COURSES[0]]


def test_seventy_new_assignments_take_as_many_statements_as_three(school_of_three: list[Collection]) -> None:
    here, statements, taken = school_of_three[0], Statements(), []
    for number in (3, 70):
        _fill(school_of_three, {(0, uuid.UUID(int=each + 1).hex): ("as it is", False) for each in range(number)})
        with statements.of("device")(), statements.taken() as counted:
            apply_stored(PROFILE, [here.dataset_id])
        taken.append(counted["device"])
        assert CourseAssignment.objects.count() == number
    assert taken[0] == taken[1]


def _fill(collections: list[Collection], records: dict[tuple[int, str], tuple[str, bool]]) -> None:
    """Put these records into the Store, to be applied; of some, an older row is here already."""
    CourseAssignment.objects.all().delete()
    for marks in (DeletedModels, HardDeletedModels):
        marks.objects.all().delete()
    Store.objects.filter(model_name="courseassignment").delete()
    for (place, course), (change, is_here) in records.items():
        collection = collections[place]
        row = CourseAssignment(dataset_id=collection.dataset_id, collection_id=collection.id, course=course, title="t")
        row.id = row.calculate_uuid()
        if is_here and place == 0:
            row._morango_dirty_bit = False
            CourseAssignment.objects.bulk_create([row])
        content = row.serialize()
        content.update(
            {
                "another title": {"title": "u"},
                "no title": {"title": None},
                "title too long": {"title": "t" * 300},
                "another course": {"course": COURSES[0]},
                "unknown field": {"unknown": 1},
                "no dataset": {"dataset_id": None},
            }.get(change, {})
        )
        if change == "field left out":
            del content["is_active"]
        Store.objects.create(
            id=row.id,
            profile=PROFILE,
            model_name="courseassignment",
            partition=collection_partition(collection.dataset_id, collection.id),
            source_id=course,
            last_saved_instance="1" * 32,
            last_saved_counter=1,
            serialized="no json" if change == "no json" else json.dumps(content),
            deleted=change in ("deleted", "erased"),
            hard_deleted=change == "erased",
            dirty_bit=True,
        )


def _everything() -> list[Any]:
    stored = Store.objects.filter(model_name="courseassignment").order_by("id")
    said = ("id", "dirty_bit", "deleted", "serialized", "deserialization_error", "deserialization_exception")
    rows = CourseAssignment.objects.order_by("id")
    marks = [each.objects.order_by("id") for each in (DeletedModels, HardDeletedModels)]
    return [list(each) for each in (stored.values(*said), rows.values(), *(each.values() for each in marks))]
