"""What a course assignment is and refuses, on the embedded host's database."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from morango.models.core import DeletedModels, Store
from morango.sync.controller import MorangoProfileController

from course_assignment.conf import max_active_per_collection
from course_assignment.errors import (
    AlreadyAssigned,
    AssignmentFixed,
    FacilityNotAssignable,
    InvalidCourse,
    OtherDataset,
    TooManyActive,
)
from course_assignment.facility.models import PROFILE, Collection, CourseAssignment, FacilityUser
from course_assignment.models import ActiveCount
from morango_collection_sync.grants import Grant
from morango_collection_sync.simulation.device import Device
from tests import school

COURSE = "c0" * 16
OTHER_COURSE = "c1" * 16


@pytest.fixture
def facility(device: Device) -> Collection:
    return school.new_facility()


@pytest.fixture
def classroom(facility: Collection) -> Collection:
    return school.new_classroom(facility, "A")


@pytest.fixture
def other_classroom(facility: Collection) -> Collection:
    return school.new_classroom(facility, "B")


def _titles(assignments: Any) -> set[str]:
    return set(assignments.values_list("title", flat=True))


# What fixes the id


def test_two_coaches_who_assign_a_course_apart_make_one_record() -> None:
    dataset_id, collection_id = uuid.uuid4().hex, uuid.uuid4().hex
    ids = {
        CourseAssignment(
            dataset_id=dataset_id, collection_id=collection_id, course=COURSE, title=title, assigned_by=uuid.uuid4().hex
        ).calculate_uuid()
        for title in ("Fractions", "Bruchrechnen")
    }
    assert len(ids) == 1


def test_another_course_or_another_collection_is_another_record(
    classroom: Collection, other_classroom: Collection
) -> None:
    made = [
        school.assign(collection, "x", course=course)
        for collection in (classroom, other_classroom)
        for course in (COURSE, OTHER_COURSE)
    ]
    assert len({assignment.id for assignment in made}) == 4


@pytest.mark.parametrize(
    "spelling", [uuid.UUID(COURSE), str(uuid.UUID(COURSE)), COURSE.upper()], ids=["UUID", "dashes", "capitals"]
)
def test_however_its_course_is_written_an_assignment_has_the_same_id(classroom: Collection, spelling: Any) -> None:
    plain = CourseAssignment(dataset_id=classroom.dataset_id, collection=classroom, course=COURSE)
    assert school.assign(classroom, "x", course=spelling).id == plain.calculate_uuid()


def test_the_partition_is_that_of_the_collection(classroom: Collection) -> None:
    assignment = school.assign(classroom, "x")
    assert assignment._morango_partition == f"{classroom.dataset_id}:{classroom.id}"


@pytest.mark.parametrize("course", ["", "fractions", None, "c0" * 15], ids=["nothing", "a word", "none", "too short"])
def test_a_course_that_is_no_uuid_is_refused(classroom: Collection, course: Any) -> None:
    with pytest.raises(InvalidCourse) as raised:
        CourseAssignment(collection=classroom, course=course, title="x").save()
    assert raised.value.course == course


# Course and collection are fixed after the first save


def test_the_collection_of_a_saved_assignment_does_not_change(
    classroom: Collection, other_classroom: Collection
) -> None:
    assignment = school.assign(classroom, "x")
    assignment.collection = other_classroom
    with pytest.raises(AssignmentFixed, match=r"reassign\(\)") as raised:
        assignment.save()
    assert raised.value.assignment_id == assignment.id
    assert CourseAssignment.objects.get().collection_id == classroom.id


def test_the_course_of_a_saved_assignment_does_not_change(classroom: Collection) -> None:
    assignment = school.assign(classroom, "x", course=COURSE)
    assignment.course = OTHER_COURSE
    with pytest.raises(AssignmentFixed, match=r"reassign\(\)"):
        assignment.save()
    assert CourseAssignment.objects.get().course == COURSE


@pytest.mark.parametrize("field", ["course", "collection_id"])
def test_naming_the_fields_to_save_is_no_way_around(
    classroom: Collection, other_classroom: Collection, field: str
) -> None:
    assignment = school.assign(classroom, "x", course=COURSE)
    setattr(assignment, field, {"course": OTHER_COURSE, "collection_id": other_classroom.id}[field])
    with pytest.raises(AssignmentFixed):
        assignment.save(update_fields=[field])


def test_a_record_that_was_moved_elsewhere_is_refused_before_a_sync_stores_it(
    classroom: Collection, other_classroom: Collection
) -> None:
    assignment = school.assign(classroom, "x")
    assignment.collection = other_classroom
    with pytest.raises(AssignmentFixed):
        assignment.save(update_dirty_bit_to=False)
    with pytest.raises(ValidationError):
        assignment.clean_fields()


@pytest.mark.parametrize("name", ["course", "collection", "collection_id", "dataset", "dataset_id"])
def test_updating_many_at_once_is_no_way_around(classroom: Collection, other_classroom: Collection, name: str) -> None:
    school.assign(classroom, "x", course=COURSE)
    value = {
        "course": OTHER_COURSE,
        "collection": other_classroom,
        "collection_id": other_classroom.id,
        "dataset": classroom.dataset,
        "dataset_id": classroom.dataset_id,
    }[name]
    with pytest.raises(AssignmentFixed):
        CourseAssignment.objects.update(**{name: value})
    with pytest.raises(AssignmentFixed):
        CourseAssignment.objects.filter(title="x").update(**{name: value, "title": "y"})
    assert _titles(CourseAssignment.objects.filter(collection=classroom, course=COURSE)) == {"x"}


@pytest.mark.parametrize("name", ["course", "collection"])
def test_a_bulk_update_is_no_way_around(classroom: Collection, other_classroom: Collection, name: str) -> None:
    assignment = school.assign(classroom, "x", course=COURSE)
    setattr(assignment, name, {"course": OTHER_COURSE, "collection": other_classroom}[name])
    with pytest.raises(AssignmentFixed):
        CourseAssignment.objects.bulk_update([assignment], ["title", name])
    assert CourseAssignment.objects.get().collection_id == classroom.id


def test_everything_else_may_change(classroom: Collection) -> None:
    assignment = school.assign(classroom, "x", active=False)
    assignment.title, assignment.is_active, assignment.channel_version = "y", True, 3
    assignment.save()
    CourseAssignment.objects.update(assigned_by=None)
    assignment.title = "z"
    CourseAssignment.objects.bulk_update([assignment], ["title"])
    assert list(CourseAssignment.objects.values_list("title", "is_active", "channel_version")) == [("z", True, 3)]


# Reassigning


def test_reassigning_makes_a_new_record_and_deletes_the_old_one(
    classroom: Collection, other_classroom: Collection
) -> None:
    author = school.new_user(classroom, "carol")
    old = CourseAssignment(
        collection=classroom,
        course=COURSE,
        title="x",
        assigned_by=author.id,
        is_active=True,
        channel_id="d" * 32,
        content_id="e" * 32,
        channel_version=7,
    )
    old.save()

    new = old.reassign(collection=other_classroom)

    assert list(CourseAssignment.objects.values_list("id", flat=True)) == [new.id]
    assert new.id != old.id
    assert new._morango_partition == f"{classroom.dataset_id}:{other_classroom.id}"
    kept = ("course", "title", "assigned_by", "is_active", "channel_id", "content_id", "channel_version", "dataset_id")
    assert [getattr(new, name) for name in kept] == [getattr(old, name) for name in kept]
    # So that the old one goes from the other devices, too.
    assert DeletedModels.objects.filter(id=old.id).exists()


def test_reassigning_can_change_the_course_and_the_author(classroom: Collection) -> None:
    old = school.assign(classroom, "x", course=COURSE, by=school.new_user(classroom, "carol"))
    new = old.reassign(course=OTHER_COURSE, by="f" * 32)
    assert (new.course, new.collection_id, new.assigned_by) == (OTHER_COURSE, classroom.id, "f" * 32)
    assert CourseAssignment.objects.get().id == new.id


def _assert_still_there(old: CourseAssignment) -> None:
    assert CourseAssignment.objects.get(id=old.id).title == old.title
    assert not DeletedModels.objects.exists()
    # The instance in hand can be worked on, too.
    old.title = "still x"
    old.save()
    assert CourseAssignment.objects.filter(id=old.id, title="still x").exists()


def test_reassigning_to_the_facility_fails_whole(facility: Collection, classroom: Collection) -> None:
    old = school.assign(classroom, "x")
    with pytest.raises(FacilityNotAssignable):
        old.reassign(collection=facility)
    _assert_still_there(old)


def test_reassigning_over_the_limit_fails_whole(
    classroom: Collection, other_classroom: Collection, settings: Any
) -> None:
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 1}
    school.assign(other_classroom, "y")
    old = school.assign(classroom, "x")
    with pytest.raises(TooManyActive):
        old.reassign(collection=other_classroom)
    _assert_still_there(old)


def test_reassigning_what_is_assigned_there_already_fails_whole(
    classroom: Collection, other_classroom: Collection
) -> None:
    school.assign(other_classroom, "y", course=COURSE)
    old = school.assign(classroom, "x", course=COURSE)
    with pytest.raises(AlreadyAssigned) as raised:
        old.reassign(collection=other_classroom)
    assert (raised.value.course, raised.value.collection_id) == (COURSE, other_classroom.id)
    assert CourseAssignment.objects.get(collection=other_classroom).title == "y"
    _assert_still_there(old)


def test_reassigning_to_another_dataset_fails_whole(classroom: Collection) -> None:
    elsewhere = school.new_classroom(school.new_facility("Riverside", admin="chief"), "A")
    old = school.assign(classroom, "x")
    with pytest.raises(OtherDataset):
        old.reassign(collection=elsewhere)
    _assert_still_there(old)


def test_a_full_collection_can_have_one_course_exchanged(classroom: Collection, settings: Any) -> None:
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 1}
    assert school.assign(classroom, "x", course=COURSE).reassign(course=OTHER_COURSE).is_active


# Where a course may be assigned


def test_a_facility_is_not_assignable(facility: Collection) -> None:
    with pytest.raises(FacilityNotAssignable) as raised:
        school.assign(facility, "x")
    assert raised.value.collection_id == facility.id
    assert not CourseAssignment.objects.exists()


def test_a_collection_of_another_dataset_is_not_assignable(facility: Collection) -> None:
    elsewhere = school.new_classroom(school.new_facility("Riverside", admin="chief"), "A")
    assignment = CourseAssignment(dataset_id=facility.dataset_id, collection=elsewhere, course=COURSE, title="x")
    with pytest.raises(OtherDataset) as raised:
        assignment.save()
    assert (raised.value.dataset_id, raised.value.collection_dataset_id) == (facility.dataset_id, elsewhere.dataset_id)
    assert not CourseAssignment.objects.exists()


def test_the_dataset_is_that_of_the_collection_when_not_given(classroom: Collection) -> None:
    assignment = CourseAssignment(collection=classroom, course=COURSE, title="x")
    assignment.save()
    assert assignment.dataset_id == classroom.dataset_id


def test_an_assignment_is_not_active_until_somebody_says_so(classroom: Collection) -> None:
    assignment = CourseAssignment(collection=classroom, course=COURSE, title="x")
    assignment.save()
    assert not CourseAssignment.objects.get().is_active


# The limit


def test_the_limit_is_twenty_when_nothing_is_set(classroom: Collection) -> None:
    for number in range(20):
        school.assign(classroom, f"{number}")
    with pytest.raises(TooManyActive) as raised:
        school.assign(classroom, "one more")
    assert (raised.value.collection_id, raised.value.active, raised.value.limit) == (classroom.id, 20, 20)
    assert CourseAssignment.objects.count() == 20


def test_without_a_limit_any_number_may_be_active(classroom: Collection, settings: Any) -> None:
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": None}
    for number in range(21):
        school.assign(classroom, f"{number}")
    count = CourseAssignment.objects.active_count(classroom.id)
    assert count == ActiveCount(21, None)
    assert not count.is_full
    assert not count.is_over


@pytest.mark.parametrize("value", ["20", -1, 1.5, True], ids=["a string", "negative", "a fraction", "a bool"])
def test_a_limit_that_is_none_is_refused(settings: Any, value: object) -> None:
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": value}
    with pytest.raises(ImproperlyConfigured, match="MAX_ACTIVE_PER_COLLECTION"):
        max_active_per_collection()


def test_the_limit_may_be_none_at_all(classroom: Collection, settings: Any) -> None:
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 0}
    with pytest.raises(TooManyActive):
        school.assign(classroom, "x")
    school.assign(classroom, "x", active=False)


def test_the_limit_is_of_each_collection(classroom: Collection, other_classroom: Collection, settings: Any) -> None:
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 1}
    group = school.new_group(classroom, "A1")
    for collection in (classroom, other_classroom, group):
        school.assign(collection, collection.name)
    assert CourseAssignment.objects.count() == 3


def test_those_that_are_not_active_do_not_count(classroom: Collection, settings: Any) -> None:
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 1}
    for number in range(3):
        school.assign(classroom, f"{number}", active=False)
    school.assign(classroom, "active")
    assert CourseAssignment.objects.active_count(classroom.id) == ActiveCount(1, 1)


def test_activating_one_more_goes_over_the_limit(classroom: Collection, settings: Any) -> None:
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 1}
    school.assign(classroom, "x")
    waiting = school.assign(classroom, "y", active=False)
    waiting.is_active = True
    with pytest.raises(TooManyActive):
        waiting.save()
    assert _titles(CourseAssignment.objects.filter(is_active=True)) == {"x"}


@pytest.fixture
def over_the_limit(classroom: Collection, settings: Any) -> list[CourseAssignment]:
    """Two active assignments in a collection that may have one: a second one has come by a sync."""
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 1}
    first = school.assign(classroom, "x")
    synced = CourseAssignment(
        dataset_id=classroom.dataset_id, collection=classroom, course=COURSE, title="y", is_active=True
    )
    synced.save(update_dirty_bit_to=False)
    return [first, synced]


def test_the_limit_never_stops_a_sync(over_the_limit: list[CourseAssignment]) -> None:
    assert _titles(CourseAssignment.objects.filter(is_active=True)) == {"x", "y"}
    assert not over_the_limit[1]._morango_dirty_bit


def test_more_than_the_limit_is_told(over_the_limit: list[CourseAssignment], classroom: Collection) -> None:
    count = CourseAssignment.objects.active_count(classroom.id)
    assert count == ActiveCount(2, 1)
    assert count.is_full
    assert count.is_over


def test_exactly_the_limit_is_full_and_not_over() -> None:
    assert ActiveCount(1, 1).is_full
    assert not ActiveCount(1, 1).is_over


def test_an_active_one_can_be_edited_over_the_limit(over_the_limit: list[CourseAssignment]) -> None:
    for assignment in over_the_limit:
        assignment.title += " renamed"
        assignment.save()
    assert _titles(CourseAssignment.objects) == {"x renamed", "y renamed"}


def test_one_that_was_deactivated_over_the_limit_stays_so(over_the_limit: list[CourseAssignment]) -> None:
    first = over_the_limit[0]
    first.is_active = False
    first.save()
    first.is_active = True
    with pytest.raises(TooManyActive):
        first.save()


# Who assigned it


def _as_if_received(assignment: CourseAssignment) -> None:
    """Put this device where it is after a sync has brought the record: in the Store, and not in the app."""
    MorangoProfileController(PROFILE).serialize_into_store()
    CourseAssignment.objects.filter(id=assignment.id)._raw_delete(using="default")
    Store.objects.filter(id=assignment.id).update(dirty_bit=True)


def test_who_assigned_it_survives_a_device_that_does_not_know_that_user(classroom: Collection) -> None:
    somebody = uuid.uuid4().hex
    assert not FacilityUser.objects.filter(id=somebody).exists()
    assignment = school.assign(classroom, "x")
    assignment.assigned_by = somebody
    assignment.save()
    _as_if_received(assignment)
    controller = MorangoProfileController(PROFILE)

    controller.deserialize_from_store()
    received = CourseAssignment.objects.get()
    assert received.assigned_by == somebody

    received.title = "edited here"
    received.save()
    controller.serialize_into_store()
    stored = json.loads(Store.objects.get(id=assignment.id).serialized)
    assert (stored["title"], stored["assigned_by"]) == ("edited here", somebody)


def test_an_assignment_stays_when_the_user_who_made_it_goes(classroom: Collection) -> None:
    author = school.new_user(classroom, "carol")
    author_id = author.id
    school.assign(classroom, "x", by=author)
    author.delete()
    assert CourseAssignment.objects.get().assigned_by == author_id


def test_an_assignment_may_be_nobodys(classroom: Collection) -> None:
    school.assign(classroom, "x")
    assert CourseAssignment.objects.get().assigned_by is None


# Who sees it


def test_a_reader_sees_the_active_ones_and_a_writer_all(classroom: Collection, other_classroom: Collection) -> None:
    third = school.new_classroom(Collection.objects.get(kind="facility"), "C")
    for collection in (classroom, other_classroom, third):
        school.assign(collection, f"{collection.name} active")
        school.assign(collection, f"{collection.name} waiting", active=False)
    readable = frozenset({classroom.id, other_classroom.id})
    grant = Grant(classroom.dataset_id, readable=readable, writable=frozenset({other_classroom.id}))
    assert _titles(CourseAssignment.objects.visible_to(grant)) == {"A active", "B active", "B waiting"}


def test_without_a_grant_nothing_is_seen(classroom: Collection) -> None:
    school.assign(classroom, "x")
    assert not CourseAssignment.objects.visible_to(Grant(classroom.dataset_id)).exists()
