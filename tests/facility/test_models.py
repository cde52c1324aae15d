"""The embedded host's own models: the tree, who belongs to what, and who may sign in."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone
from morango.models.core import DeletedModels, Store
from morango.sync.controller import MorangoProfileController

from course_assignment.facility.models import (
    FULL_FACILITY,
    PROFILE,
    SINGLE_USER,
    Collection,
    CollectionKind,
    FacilityUser,
    Membership,
    Role,
    RoleKind,
)
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.conftest import NewDevice


@pytest.fixture
def facility(device: Device) -> Collection:
    return school.new_facility()


@pytest.fixture
def classroom(facility: Collection) -> Collection:
    return school.new_classroom(facility, "A")


@pytest.fixture
def group(classroom: Collection) -> Collection:
    return school.new_group(classroom, "A1")


@pytest.fixture
def ada(facility: Collection) -> FacilityUser:
    return school.new_user(facility, "ada")


def _serialize() -> None:
    MorangoProfileController(PROFILE).serialize_into_store()


def _carry(origin: Device, destination: Device) -> None:
    """Bring what is new or changed on one device to another, as a sync leaves it there."""
    with origin:
        _serialize()
        rows = list(Store.objects.values())
    with destination:
        known = set(Store.objects.values_list("id", "serialized", "deleted"))
        for row in rows:
            if (row["id"], row["serialized"], row["deleted"]) not in known:
                Store.objects.update_or_create(id=row.pop("id"), defaults={**row, "dirty_bit": True})
        MorangoProfileController(PROFILE).deserialize_from_store()
        assert not Store.objects.filter(dirty_bit=True).exists()


def _dirty_names() -> set[str]:
    return set(Collection.objects.filter(_morango_dirty_bit=True).values_list("name", flat=True))


def _assert_numbers_tell_the_tree() -> None:
    by_id = {collection.id: collection for collection in Collection.objects.all()}
    for collection in by_id.values():
        above = []
        current = collection
        while current.parent_id is not None:
            current = by_id[current.parent_id]
            above.append(current.name)
        assert collection.level == len(above)
        assert [each.name for each in collection.get_ancestors(ascending=True)] == above


def test_the_migrations_are_those_of_the_models(device: Device) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


# The tree, and Morango


def test_making_a_collection_marks_no_other_one_as_edited(facility: Collection, classroom: Collection) -> None:
    school.new_classroom(facility, "B")
    _serialize()
    school.new_group(classroom, "A1")
    assert _dirty_names() == {"A1"}


def test_moving_a_collection_marks_no_other_one_as_edited(facility: Collection, group: Collection) -> None:
    other = school.new_classroom(facility, "B")
    school.new_group(other, "B1")
    _serialize()
    group.refresh_from_db()
    group.parent = other
    group.save()
    assert _dirty_names() == {"A1"}
    _assert_numbers_tell_the_tree()


def test_deleting_a_collection_marks_no_other_one_as_edited(facility: Collection, group: Collection) -> None:
    school.new_classroom(facility, "B")
    _serialize()
    Collection.objects.get(name="A").delete()
    assert set(Collection.objects.values_list("name", flat=True)) == {"Hillside", "B"}
    assert _dirty_names() == set()
    _assert_numbers_tell_the_tree()


def test_a_facility_put_ahead_of_another_marks_neither_it_nor_its_classes_as_edited(
    facility: Collection, classroom: Collection
) -> None:
    _serialize()
    elsewhere = Collection(dataset_id=facility.dataset_id, name="Riverside", kind=CollectionKind.FACILITY)
    elsewhere.insert_at(facility, position="left", save=True)
    assert elsewhere.tree_id < Collection.objects.get(name="A").tree_id
    assert _dirty_names() == {"Riverside"}


def test_a_tree_arrives_on_another_device_as_it_is(new_device: NewDevice) -> None:
    hub, tablet = new_device("hub"), new_device("tablet")
    with hub:
        facility = school.new_facility()
        for name in "AB":
            classroom = school.new_classroom(facility, name)
            for number in (1, 2):
                school.new_group(classroom, f"{name}{number}")
        expected = set(Collection.objects.values_list("id", "name", "kind", "parent_id", "dataset_id"))

    _carry(hub, tablet)

    with tablet:
        assert set(Collection.objects.values_list("id", "name", "kind", "parent_id", "dataset_id")) == expected
        assert _dirty_names() == set()
        _assert_numbers_tell_the_tree()


@pytest.fixture
def two_devices(new_device: NewDevice) -> tuple[Device, Device]:
    """A hub with classes A, with a group A1, and B, and a tablet that has received them."""
    hub, tablet = new_device("hub"), new_device("tablet")
    with hub:
        facility = school.new_facility()
        school.new_group(school.new_classroom(facility, "A"), "A1")
        school.new_classroom(facility, "B")
    _carry(hub, tablet)
    return hub, tablet


def test_a_class_renamed_elsewhere_keeps_its_groups_below_it(two_devices: tuple[Device, Device]) -> None:
    hub, tablet = two_devices
    with hub:
        classroom = Collection.objects.get(name="A")
        classroom.name = "A renamed"
        classroom.save()

    _carry(hub, tablet)

    with tablet:
        assert [each.name for each in Collection.objects.get(name="A renamed").get_descendants()] == ["A1"]
        assert _dirty_names() == set()
        _assert_numbers_tell_the_tree()


def test_a_group_moved_elsewhere_moves_here(two_devices: tuple[Device, Device]) -> None:
    hub, tablet = two_devices
    with hub:
        group = Collection.objects.get(name="A1")
        group.parent = Collection.objects.get(name="B")
        group.save()

    _carry(hub, tablet)

    with tablet:
        assert Collection.objects.get(name="A1").parent.name == "B"
        assert [each.name for each in Collection.objects.get(name="B").get_descendants()] == ["A1"]
        assert Collection.objects.get(name="A").is_leaf_node()
        assert _dirty_names() == set()
        _assert_numbers_tell_the_tree()


def test_a_group_made_elsewhere_finds_its_place_after_a_class_was_deleted(two_devices: tuple[Device, Device]) -> None:
    hub, tablet = two_devices
    with hub:
        Collection.objects.get(name="A").delete()
        school.new_group(Collection.objects.get(name="B"), "B1")

    _carry(hub, tablet)

    with tablet:
        assert set(Collection.objects.values_list("name", flat=True)) == {"Hillside", "B", "B1"}
        assert not DeletedModels.objects.exists()
        _assert_numbers_tell_the_tree()


# What belongs below what


@pytest.mark.parametrize(
    ("kind", "below"),
    [
        (CollectionKind.FACILITY, "classroom"),
        (CollectionKind.CLASSROOM, None),
        (CollectionKind.CLASSROOM, "classroom"),
        (CollectionKind.LEARNER_GROUP, "facility"),
        (CollectionKind.LEARNER_GROUP, "group"),
        (CollectionKind.AD_HOC_GROUP, "facility"),
    ],
)
def test_a_collection_below_the_wrong_kind_is_refused(
    facility: Collection, classroom: Collection, group: Collection, kind: str, below: str | None
) -> None:
    parent = {"facility": facility, "classroom": classroom, "group": group, None: None}[below]
    collection = Collection(dataset_id=facility.dataset_id, name="x", kind=kind, parent=parent)
    with pytest.raises(ValidationError, match="belongs below"):
        collection.clean()


def test_a_class_below_another_facility_is_refused(facility: Collection) -> None:
    elsewhere = school.new_facility("Riverside", admin="chief")
    with pytest.raises(ValidationError, match="same facility"):
        Collection(dataset_id=facility.dataset_id, name="x", kind=CollectionKind.CLASSROOM, parent=elsewhere).clean()


# Memberships and roles


def test_a_group_asks_for_membership_of_its_class(ada: FacilityUser, classroom: Collection, group: Collection) -> None:
    with pytest.raises(ValidationError, match="ada is no member of A, the class of A1"):
        school.enrol(ada, group)
    school.enrol(ada, classroom)
    school.enrol(ada, group)


def test_the_class_of_another_group_does_not_count(ada: FacilityUser, facility: Collection, group: Collection) -> None:
    school.enrol(ada, school.new_classroom(facility, "B"))
    with pytest.raises(ValidationError, match="no member of A"):
        school.enrol(ada, group)


def test_somebody_elses_membership_does_not_count(ada: FacilityUser, classroom: Collection, group: Collection) -> None:
    school.enrol(school.new_user(classroom, "ben"), classroom)
    with pytest.raises(ValidationError, match="ada is no member of A"):
        school.enrol(ada, group)


def test_there_is_no_membership_of_the_facility(ada: FacilityUser, facility: Collection) -> None:
    with pytest.raises(ValidationError, match="no membership for it"):
        school.enrol(ada, facility)


def test_ties_to_another_facility_are_refused(ada: FacilityUser) -> None:
    elsewhere = school.new_classroom(school.new_facility("Riverside", admin="chief"), "A")
    with pytest.raises(ValidationError, match="two different facilities"):
        school.enrol(ada, elsewhere)
    with pytest.raises(ValidationError, match="two different facilities"):
        school.new_role(ada, elsewhere)


def test_leaving_a_class_leaves_its_groups_and_nothing_else(
    ada: FacilityUser, facility: Collection, classroom: Collection, group: Collection
) -> None:
    ben, other = school.new_user(facility, "ben"), school.new_classroom(facility, "B")
    other_group = school.new_group(other, "B1")
    for user in (ada, ben):
        for collection in (classroom, group, other, other_group):
            school.enrol(user, collection)
    gone = set(Membership.objects.filter(user=ada, collection__in=[classroom, group]).values_list("id", flat=True))

    school.withdraw(ada, classroom)

    left = Membership.objects.values_list("user__username", "collection__name")
    assert sorted(left) == [("ada", "B"), ("ada", "B1"), ("ben", "A"), ("ben", "A1"), ("ben", "B"), ("ben", "B1")]
    # So that the groups go from the other devices, too.
    assert set(DeletedModels.objects.values_list("id", flat=True)) == gone


def test_leaving_a_group_does_not_leave_its_class(ada: FacilityUser, classroom: Collection, group: Collection) -> None:
    for collection in (classroom, group):
        school.enrol(ada, collection)
    school.withdraw(ada, group)
    assert Membership.objects.get().collection_id == classroom.id


def test_the_same_tie_made_on_two_devices_is_one_record(ada: FacilityUser, classroom: Collection) -> None:
    first = school.enrol(ada, classroom).id
    school.withdraw(ada, classroom)
    assert school.enrol(ada, classroom).id == first
    role = school.new_role(ada, classroom)
    role_id = role.id
    role.delete()
    assert school.new_role(ada, classroom).id == role_id
    assert school.new_role(ada, classroom, RoleKind.ADMIN).id != role_id


def test_ties_travel_to_their_user_only(ada: FacilityUser, classroom: Collection) -> None:
    own = f"{ada.dataset_id}:user-ro:{ada.id}"
    assert ada._morango_partition == own
    assert school.enrol(ada, classroom)._morango_partition == own
    assert school.new_role(ada, classroom)._morango_partition == own


# Names, and signing in


@pytest.mark.parametrize("name", ["ada", "Ada_2", "José", "हिन्दी", "தமிழ்", "阿达", "x" * 30])
def test_a_username_in_any_script_is_taken(facility: Collection, name: str) -> None:
    user = FacilityUser(dataset_id=facility.dataset_id, username=name, password="x")
    user.full_clean(exclude=["id"])


@pytest.mark.parametrize("name", ["", "ada lovelace", "ada\n", "ada-2", "ada.b", "a@b", "a'b", "a/b", "x" * 31])
def test_a_username_with_punctuation_blanks_or_too_many_letters_is_refused(facility: Collection, name: str) -> None:
    user = FacilityUser(dataset_id=facility.dataset_id, username=name, password="x")
    with pytest.raises(ValidationError) as raised:
        user.full_clean(exclude=["id"])
    assert raised.value.message_dict.keys() == {"username"}


def _sign_in(username: str, password: str = school.PASSWORD) -> Any:
    return authenticate(None, username=username, password=password)


@pytest.mark.parametrize("typed", ["ada", "ADA", "Ada"])
def test_signing_in_takes_a_name_in_any_case(ada: FacilityUser, typed: str) -> None:
    assert _sign_in(typed) == ada


def test_a_wrong_password_does_not_sign_in(ada: FacilityUser) -> None:
    assert _sign_in("ada", "cheese") is None


def test_an_unknown_name_does_not_sign_in(ada: FacilityUser) -> None:
    assert _sign_in("ad") is None
    # In SQL, an underscore stands for any letter.
    assert _sign_in("ad_") is None


def test_a_deleted_user_does_not_sign_in(ada: FacilityUser) -> None:
    ada.date_deleted = timezone.now()
    ada.save()
    assert not ada.is_active
    assert _sign_in("ada") is None


def test_a_name_that_a_deleted_user_had_can_be_used_again(facility: Collection, ada: FacilityUser) -> None:
    ada.date_deleted = timezone.now()
    ada.save()
    successor = school.new_user(facility, "ada", "cheese")
    assert _sign_in("ada", "cheese") == successor
    assert _sign_in("ada") is None


def test_a_name_that_two_users_have_signs_in_neither(facility: Collection, ada: FacilityUser) -> None:
    # Two hubs may each have made one.
    school.new_user(facility, "ADA", "cheese")
    assert _sign_in("ada") is None
    assert _sign_in("ada", "cheese") is None


# Certificates


def _may_have(user: FacilityUser, scope: str, **params: str) -> bool:
    return user.has_morango_certificate_scope_permission(scope, params)


def test_a_user_may_have_a_certificate_for_themselves_alone(facility: Collection, ada: FacilityUser) -> None:
    ben = school.new_user(facility, "ben")
    dataset_id = facility.dataset_id
    assert _may_have(ada, SINGLE_USER, dataset_id=dataset_id, user_id=ada.id)
    assert not _may_have(ada, SINGLE_USER, dataset_id=dataset_id, user_id=ben.id)
    assert not _may_have(ada, FULL_FACILITY, dataset_id=dataset_id)
    assert not _may_have(ada, FULL_FACILITY, dataset_id=dataset_id, user_id=ada.id)


def test_only_an_admin_of_the_facility_may_have_any_certificate(
    facility: Collection, classroom: Collection, ada: FacilityUser
) -> None:
    dataset_id = facility.dataset_id
    school.new_role(ada, classroom, RoleKind.ADMIN)
    school.new_role(ada, facility, RoleKind.COACH)
    assert not _may_have(ada, FULL_FACILITY, dataset_id=dataset_id)
    head = Role.objects.get(kind=RoleKind.ADMIN, collection=facility).user
    assert _may_have(head, FULL_FACILITY, dataset_id=dataset_id)
    assert _may_have(head, SINGLE_USER, dataset_id=dataset_id, user_id=ada.id)


def test_an_admin_of_one_facility_may_have_no_certificate_of_another(facility: Collection) -> None:
    elsewhere = school.new_facility("Riverside", admin="chief")
    head = Role.objects.get(kind=RoleKind.ADMIN, collection=facility).user
    assert not _may_have(head, FULL_FACILITY, dataset_id=elsewhere.dataset_id)
    assert not _may_have(head, SINGLE_USER, dataset_id=elsewhere.dataset_id, user_id=head.id)
