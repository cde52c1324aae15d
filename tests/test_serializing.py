"""Serializing what was deleted and made again before it was ever synced."""

from __future__ import annotations

import pytest
from morango.models.core import DeletedModels, HardDeletedModels, Store
from morango.sync.controller import MorangoProfileController

from course_assignment.facility.models import PROFILE, Collection, FacilityUser, Membership
from morango_collection_sync.deletions import forget_undone_deletions
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.conftest import NewDevice, Serve


@pytest.fixture
def classroom(device: Device) -> Collection:
    return school.new_classroom(school.new_facility(), "A")


@pytest.fixture
def learner(classroom: Collection) -> FacilityUser:
    return school.new_user(classroom, "ada")


def _serialize() -> None:
    MorangoProfileController(PROFILE).serialize_into_store()


def _enrolled_and_serialized(learner: FacilityUser, classroom: Collection) -> Membership:
    membership = school.enrol(learner, classroom)
    _serialize()
    return membership


def test_morango_alone_stores_a_membership_that_is_there_again_as_deleted(
    learner: FacilityUser, classroom: Collection
) -> None:
    membership_id = _enrolled_and_serialized(learner, classroom).id
    school.withdraw(learner, classroom)
    assert school.enrol(learner, classroom).id == membership_id

    _serialize()

    # Should this fail one day, Morango does it itself, and our operation can go.
    assert Store.objects.get(id=membership_id).deleted
    assert Membership.objects.filter(id=membership_id).exists()


def test_a_membership_that_is_there_again_is_stored_as_it_is(learner: FacilityUser, classroom: Collection) -> None:
    membership_id = _enrolled_and_serialized(learner, classroom).id
    school.withdraw(learner, classroom)
    school.enrol(learner, classroom)

    forget_undone_deletions(PROFILE)
    _serialize()

    assert not Store.objects.get(id=membership_id).deleted


def test_a_membership_that_was_deleted_for_good_and_is_there_again_keeps_its_content(
    learner: FacilityUser, classroom: Collection
) -> None:
    membership = _enrolled_and_serialized(learner, classroom)
    membership_id = membership.id
    membership.delete(hard_delete=True)
    school.enrol(learner, classroom)

    forget_undone_deletions(PROFILE)
    _serialize()

    stored = Store.objects.get(id=membership_id)
    assert not stored.deleted
    assert not stored.hard_deleted
    assert learner.id in stored.serialized


def test_what_stays_deleted_is_stored_as_deleted(learner: FacilityUser, classroom: Collection) -> None:
    gone = _enrolled_and_serialized(learner, classroom).id
    other = school.new_classroom(Collection.objects.get(kind="facility"), "B")
    back = _enrolled_and_serialized(learner, other).id
    for collection in (classroom, other):
        school.withdraw(learner, collection)
    school.enrol(learner, other)

    forget_undone_deletions(PROFILE)
    _serialize()

    assert Store.objects.get(id=gone).deleted
    assert not Store.objects.get(id=back).deleted


def test_marks_of_another_profile_are_left_alone(learner: FacilityUser) -> None:
    # An id is a row of one profile only, but nothing says so to Morango.
    for marks in (DeletedModels, HardDeletedModels):
        marks.objects.create(id=learner.id, profile="another")
    forget_undone_deletions(PROFILE)
    assert DeletedModels.objects.get().profile == "another"
    assert HardDeletedModels.objects.get().profile == "another"


def test_a_learner_who_left_and_came_back_between_two_syncs_is_a_member_everywhere(
    new_device: NewDevice, serve: Serve
) -> None:
    hub, tablet = new_device("hub"), new_device("tablet")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        learner = school.new_user(facility, "ada")
        school.enrol(learner, classroom)
        school.assign(classroom, "fractions")
    base_url = serve(hub)
    with tablet:
        joined = school.join(base_url, "ada")
        joined.sync()
    with hub:
        school.withdraw(learner, classroom)
        school.enrol(learner, classroom)
        school.assign(classroom, "decimals")
    with tablet:
        joined.sync()
        assert Membership.objects.filter(user_id=learner.id, collection_id=classroom.id).exists()
        assert school.held_assignments() == {"fractions", "decimals"}
    with hub:
        assert Membership.objects.filter(user_id=learner.id, collection_id=classroom.id).exists()
