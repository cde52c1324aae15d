"""Applying many collections in few statements: the same tree, and the same said of each record, as one by one."""

from __future__ import annotations

import json
import uuid
from typing import Any
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from morango.models.core import DeletedModels, HardDeletedModels, Store

from course_assignment.facility.models import PROFILE, Collection, CollectionKind, FacilitySyncableModel
from morango_collection_sync import applying
from morango_collection_sync.applied import NotTogether
from morango_collection_sync.applying import apply_stored
from morango_collection_sync.edits import serialize_edits
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.performance.statements import Statements

HERE = 6
"""Collections below the facility that are here before: three classes, each with a group, numbered 1 to 6."""
CHANGES = ["as it is", "no name", "half a character", "deleted", "no json", "another dataset"]


@pytest.fixture
def facility(device: Device) -> Collection:
    facility = school.new_facility()
    for number in range(HERE // 2):
        school.new_group(school.new_classroom(facility, f"class {number}"), f"group {number}")
    serialize_edits(PROFILE, [facility.dataset_id])
    return facility


class Before:
    """All collections, and all of the Store."""

    def __init__(self) -> None:
        self.rows = list(Collection.objects.values())
        self.stored = list(Store.objects.values())


@pytest.fixture
def before(facility: Collection) -> Before:
    return Before()


Record = tuple[int, int, str]
"""A collection's number, that of its parent (0: the facility; 99: one that nobody knows), and what is odd about it."""


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([(7, 0, "as it is"), (8, 7, "as it is"), (9, 8, "as it is"), (10, 2, "as it is"), (11, 5, "as it is")])
@example([(1, 9, "as it is"), (9, 0, "as it is"), (10, 1, "as it is")])
@example([(1, 2, "as it is"), (2, 99, "as it is"), (3, 3, "as it is")])
@example([(3, 0, "deleted"), (7, 4, "as it is")])
@example([(7, 8, "as it is"), (8, 7, "as it is"), (9, 7, "as it is")])
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.sampled_from([0, 0, *range(1, 13), 99]), st.sampled_from(CHANGES)),
        max_size=7,
        unique_by=lambda record: record[0],
    )
)
def test_a_tree_that_is_applied_together_is_the_one_that_is_applied_one_by_one(
    facility: Collection, before: Before, records: list[Record]
) -> None:
    _restore(before)
    ids = _ids(facility)
    received = [_record(facility, ids, *record) for record in records]
    found = []
    for are_together in (True, False):
        _restore(before)
        Store.objects.filter(id__in=[each.id for each in received]).delete()
        Store.objects.bulk_create(received)
        with mock.patch.object(FacilitySyncableModel, "applied_together", are_together):
            apply_stored(PROFILE, [facility.dataset_id])
        found.append(_everything())
    together, one_by_one = found
    assert together == one_by_one


def test_a_thousand_collections_one_below_the_other_are_applied(facility: Collection) -> None:
    ids = {number: uuid.UUID(int=number).hex for number in range(1, 1101)} | {0: facility.id}
    Store.objects.bulk_create([_record(facility, ids, number, number - 1) for number in range(1, 1101)])

    apply_stored(PROFILE, [facility.dataset_id])

    deepest = Collection.objects.get(id=ids[1100])
    assert (deepest.level, deepest.get_ancestors().count()) == (1100, 1100)


def test_a_parent_that_is_gone_just_then_leaves_the_batch_to_be_applied_one_by_one(facility: Collection) -> None:
    orphan = Collection(id="a" * 32, dataset_id=facility.dataset_id, parent_id="b" * 32)
    with transaction.atomic(), pytest.raises(NotTogether):
        Collection.objects.place([orphan])


def test_a_deletion_made_after_edits_were_serialized_is_not_undone(facility: Collection) -> None:
    """A version from elsewhere waits for the collection; the person's deletion, of what came before, stands."""
    ids = _ids(facility)
    Store.objects.filter(id=ids[1]).update(dirty_bit=True)
    right, deleted = applying.serialize_edits, []

    def then_delete(profile: str, sync_filter: Any) -> None:
        right(profile, sync_filter)
        if not deleted:
            deleted.append(Collection.objects.get(id=ids[1]).delete())

    with mock.patch.object(applying, "serialize_edits", then_delete):
        apply_stored(PROFILE, [facility.dataset_id])
    serialize_edits(PROFILE, [facility.dataset_id])

    assert Store.objects.get(id=ids[1]).deleted
    assert not Collection.objects.filter(id=ids[1]).exists()


def test_seventy_new_collections_take_as_many_statements_as_three(facility: Collection) -> None:
    statements, taken = Statements(), []
    ids = _ids(facility)
    for number in (3, 70):
        first = HERE + 1 if number == 3 else 20
        Store.objects.bulk_create([_record(facility, ids, first + each, 2 * (each % 3) + 1) for each in range(number)])
        before = Collection.objects.count()
        with statements.of("device")(), statements.taken() as counted:
            apply_stored(PROFILE, [facility.dataset_id])
        taken.append(counted["device"])
        assert Collection.objects.count() == before + number
    assert taken[0] == taken[1]


def _ids(facility: Collection) -> dict[int, str]:
    """The id of each number: 1, 3 and 5 are the classes, the next ones their groups."""
    names = [f"{kind} {number}" for number in range(HERE // 2) for kind in ("class", "group")]
    here = {number: Collection.objects.get(name=name).id for number, name in enumerate(names, 1)}
    return {number: uuid.UUID(int=number).hex for number in range(7, 100)} | here | {0: facility.id}


def _record(facility: Collection, ids: dict[int, str], number: int, parent: int, change: str = "as it is") -> Store:
    """What a hub has sent of a collection."""
    row = Collection(
        id=ids[number],
        dataset_id=facility.dataset_id,
        parent_id=ids[parent],
        name=f"collection {number}",
        kind=CollectionKind.CLASSROOM,
        _morango_source_id=ids[number],
        _morango_partition=facility._morango_partition,
    )
    content = row.serialize()
    changes = {
        "no name": {"name": None},
        "half a character": {"name": "\ud800"},
        "another dataset": {"dataset_id": "d" * 32},
    }
    content.update(changes.get(change, {}))
    return Store(
        id=row.id,
        profile=PROFILE,
        model_name="collection",
        partition=row._morango_partition,
        source_id=row.id,
        last_saved_instance="1" * 32,
        last_saved_counter=1,
        serialized="no json" if change == "no json" else json.dumps(content),
        deleted=change == "deleted",
        dirty_bit=True,
        _self_ref_fk=row.parent_id,
    )


def _restore(before: Before) -> None:
    for model, values in ((Collection, before.rows), (Store, before.stored)):
        model._base_manager.all().delete()
        model._base_manager.bulk_create([model(**each) for each in values])
    for marks in (DeletedModels, HardDeletedModels):
        marks.objects.all().delete()


def _everything() -> list[Any]:
    """All that there is, but for which child of a collection is ahead of which: that is nobody's to say."""
    said = ("id", "dirty_bit", "deleted", "serialized", "deserialization_error", "deserialization_exception")
    stored = Store.objects.filter(model_name="collection").order_by("id").values(*said)
    marks = [each.objects.order_by("id").values() for each in (DeletedModels, HardDeletedModels)]
    rows = list(Collection.objects.order_by("id").values())
    _check_numbers(rows)
    for row in rows:
        row.update(lft=None, rght=row["rght"] - row["lft"])
    return [list(stored), rows, *map(list, marks)]


def _check_numbers(rows: list[dict[str, Any]]) -> None:
    """No number is there twice, and what is inside of a collection's two is what is below it."""
    by_id = {row["id"]: row for row in rows}
    numbers = [(row["tree_id"], row[side]) for row in rows for side in ("lft", "rght")]
    assert len(numbers) == len(set(numbers))
    for row in rows:
        parent = by_id.get(row["parent_id"])
        if parent is not None:
            assert parent["tree_id"] == row["tree_id"]
            assert parent["lft"] < row["lft"] < row["rght"] < parent["rght"]
