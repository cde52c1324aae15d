"""The rules of a course assignment on Kolibri's models."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from kolibri.core.auth.models import Facility
from kolibri.core.auth.utils.deprovision import deprovision
from morango.models.core import DeletedModels, InstanceIDModel, Store
from morango.sync.controller import MorangoProfileController

from course_assignment.errors import AssignmentFixed, FacilityNotAssignable, TooManyActive
from course_assignment.kolibri.models import CourseAssignment
from morango_collection_sync.models import DeclaredCounter, PushedCounter, QuarantinedEdit
from tests.kolibri import school

pytestmark = pytest.mark.django_db(databases="__all__")


def test_dataset_is_inferred_and_partition_and_id_are_those_of_the_collection() -> None:
    classroom = school.new_classroom(school.new_facility(), "A")
    first = school.new_assignment(classroom, "one")
    assert first._morango_partition == f"{classroom.dataset_id}:{classroom.id}"
    again = CourseAssignment(collection=classroom, dataset_id=classroom.dataset_id, course=first.course)
    assert again.calculate_uuid() == first.id


def test_facility_cannot_be_assigned_to() -> None:
    facility = school.new_facility()
    with pytest.raises(FacilityNotAssignable):
        school.new_assignment(facility, "one")


def test_collection_is_fixed_and_reassign_moves() -> None:
    facility = school.new_facility()
    old, new = school.new_classroom(facility, "A"), school.new_classroom(facility, "B")
    assignment = school.new_assignment(old, "one")
    assignment.collection = new
    with pytest.raises(AssignmentFixed):
        assignment.save()
    moved = CourseAssignment.objects.get().reassign(collection=new)
    assert list(CourseAssignment.objects.values_list("id", "collection_id")) == [(moved.id, new.id)]


def test_person_is_stopped_at_the_limit(settings: object) -> None:
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 1}  # type: ignore[attr-defined]
    classroom = school.new_classroom(school.new_facility(), "A")
    school.new_assignment(classroom, "one")
    with pytest.raises(TooManyActive):
        school.new_assignment(classroom, "two")


def test_assignment_of_an_unknown_author_is_stored_and_applied_with_that_author() -> None:
    facility = school.new_facility()
    author = "a" * 32
    assignment = school.new_assignment(school.new_classroom(facility, "A"), "one", assigned_by=author)
    controller = MorangoProfileController("facilitydata")
    controller.serialize_into_store()
    Store.objects.filter(id=assignment.id).update(dirty_bit=True)
    CourseAssignment.objects.all()._raw_delete("default")

    controller.deserialize_from_store()

    assert CourseAssignment.objects.get().assigned_by == author


def test_deleting_a_class_takes_its_assignments_and_those_of_its_groups_along() -> None:
    facility = school.new_facility()
    classroom, other = school.new_classroom(facility, "A"), school.new_classroom(facility, "B")
    gone = {
        school.new_assignment(classroom, "one").id,
        school.new_assignment(school.new_group(classroom, "red"), "two").id,
    }
    kept = school.new_assignment(other, "three")

    classroom.delete()

    assert set(CourseAssignment.objects.values_list("id", flat=True)) == {kept.id}
    assert gone <= set(DeletedModels.objects.values_list("id", flat=True))


def test_deleting_the_author_keeps_the_assignment_and_its_attribution() -> None:
    facility = school.new_facility()
    author = school.new_user(facility, "carol")
    assignment = school.new_assignment(school.new_classroom(facility, "A"), "one", assigned_by=author.id)

    author_id = author.id
    author.delete()

    assert CourseAssignment.objects.get(id=assignment.id).assigned_by == author_id


@pytest.mark.parametrize("how", ["deletefacility", "deprovision"])
def test_deleting_the_facility_leaves_nothing_of_its_assignments_behind(how: str) -> None:
    facility = school.new_facility()
    learner = school.new_user(facility, "somebody")
    assignment = school.new_assignment(school.new_classroom(facility, "A"), "one")
    school.quarantined_edit(assignment, learner)
    PushedCounter.objects.create(partition=assignment._morango_partition, instance_id="a" * 32, counter=1)
    instance, _ = InstanceIDModel.get_or_create_current_instance()
    DeclaredCounter.objects.create(instance_id=instance.id, counter=1)
    another = PushedCounter.objects.create(partition=f"{'b' * 32}:{'c' * 32}", instance_id="a" * 32, counter=1)

    if how == "deletefacility":
        call_command("deletefacility", facility=facility.id, noninteractive=True)
    else:
        deprovision()

    assert not Facility.objects.exists()
    assert not CourseAssignment.objects.exists()
    assert not Store.objects.filter(model_name="courseassignment").exists()
    assert not QuarantinedEdit.objects.exists()
    assert list(PushedCounter.objects.all()) == [another]
    # What this device has told of itself goes when it begins anew, and not before.
    assert DeclaredCounter.objects.exists() == InstanceIDModel.objects.exists() == (how == "deletefacility")


def test_system_checks_find_nothing_amiss() -> None:
    call_command("check", fail_level="WARNING")
