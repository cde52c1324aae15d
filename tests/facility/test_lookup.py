"""Finding users and collections by what a person calls them."""

from __future__ import annotations

import pytest
from django.utils import timezone

from course_assignment.facility.errors import AmbiguousName, UnknownName
from course_assignment.facility.lookup import find_collection, find_user, full_name
from course_assignment.facility.models import Collection, CollectionKind
from morango_collection_sync.simulation.device import Device
from tests import school


@pytest.fixture
def facility(device: Device) -> Collection:
    return school.new_facility()


@pytest.mark.parametrize("typed", ["E\u0301LODIE", "\u00e9lodie", "\u00c9lodie"])
def test_user_is_found_whatever_the_case_and_the_coding_of_accents(facility: Collection, typed: str) -> None:
    user = school.new_user(facility, "\u00c9lodie")

    assert find_user(typed) == user
    assert find_user(user.id) == user


def test_deleted_user_is_not_found(facility: Collection) -> None:
    user = school.new_user(facility, "lea")
    user.date_deleted = timezone.now()
    user.save()

    with pytest.raises(UnknownName):
        find_user("lea")


def test_two_users_of_one_name_are_told_apart_by_their_ids(facility: Collection) -> None:
    ids = sorted(school.new_user(facility, "lea").id for _ in range(2))

    with pytest.raises(AmbiguousName) as error:
        find_user("lea")

    assert list(error.value.choices) == ids


def test_nearest_names_are_offered_and_far_ones_are_not(facility: Collection) -> None:
    for name in ("ihassan", "ihassan2", "zulu"):
        school.new_user(facility, name)

    with pytest.raises(UnknownName) as error:
        find_user("ihasan")

    assert error.value.nearest == ("ihassan", "ihassan2")


def test_nearest_collection_is_offered_by_a_name_that_can_be_used(facility: Collection) -> None:
    for class_name in ("4A", "4B"):
        school.new_group(school.new_classroom(facility, class_name), "Reds")

    with pytest.raises(UnknownName) as error:
        find_collection("Rds")

    assert [full_name(find_collection(name)) for name in error.value.nearest] == ["4A/Reds", "4B/Reds"]


def test_group_is_found_by_its_name_alone_where_only_one_has_it(facility: Collection) -> None:
    group = school.new_group(school.new_classroom(facility, "4A"), "Reds", CollectionKind.AD_HOC_GROUP)

    assert find_collection("reds") == find_collection("4a/REDS") == find_collection(group.id) == group


def test_name_that_a_class_and_a_group_share_asks_which(facility: Collection) -> None:
    school.new_group(school.new_classroom(facility, "4A"), "Reds")
    reds = school.new_classroom(facility, "Reds")

    with pytest.raises(AmbiguousName) as error:
        find_collection("Reds")

    # The class has no name that is its alone.
    assert reds.id in error.value.choices


@pytest.mark.parametrize(("class_name", "group_name"), [("Grade 4/5", "Reds"), ("4A", "Reds/Blues"), ("a/b", "c/d")])
def test_slash_in_a_name_is_part_of_it(facility: Collection, class_name: str, group_name: str) -> None:
    group = school.new_group(school.new_classroom(facility, class_name), group_name)

    assert find_collection(f"{class_name}/{group_name}") == group


def test_class_called_as_a_group_of_another_is_never_taken_for_it(facility: Collection) -> None:
    group = school.new_group(school.new_classroom(facility, "4A"), "Reds")
    classroom = school.new_classroom(facility, "4A/Reds")

    with pytest.raises(AmbiguousName) as error:
        find_collection("4A/Reds")

    assert set(error.value.choices) == {group.id, classroom.id}


def test_facility_is_found_where_nothing_else_has_its_name(facility: Collection) -> None:
    assert find_collection("hillside") == facility

    classroom = school.new_classroom(facility, "Hillside")

    assert find_collection("hillside") == classroom
