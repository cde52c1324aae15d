"""Why a user's devices do or do not get a collection, in sentences."""

from __future__ import annotations

import pytest

from course_assignment.facility.explanations import explain_user
from course_assignment.facility.models import Collection, RoleKind
from morango_collection_sync.simulation.device import Device
from tests import school


@pytest.fixture
def facility(device: Device) -> Collection:
    facility = school.new_facility()
    school.new_group(school.new_classroom(facility, "4A"), "Reds")
    school.new_classroom(facility, "4B")
    return facility


def collection(name: str) -> Collection:
    return Collection.objects.get(name=name)


def test_collections_stand_in_the_order_of_the_tree_without_the_facility(facility: Collection) -> None:
    user = school.new_user(facility, "lea")

    assert [explanation.name for explanation in explain_user(user)] == ["4A", "4A/Reds", "4B"]


def test_member_of_a_group_reads_it_and_its_class(facility: Collection) -> None:
    lea = school.new_user(facility, "lea")
    school.enrol(lea, collection("4A"))
    school.enrol(lea, collection("Reds"))

    explained = {explanation.name: explanation for explanation in explain_user(lea)}

    assert explained["4A/Reds"].because == ("lea is a member of 4A/Reds",)
    assert set(explained["4A"].because) == {
        "lea is a member of 4A",
        "lea is a member of 4A/Reds, which is below 4A",
    }
    assert (explained["4A"].read, explained["4A"].write) == (True, False)
    assert (explained["4B"].read, explained["4B"].write) == (False, False)


def test_coach_of_a_class_writes_it_and_its_groups(facility: Collection) -> None:
    ana = school.new_user(facility, "ana")
    school.new_role(ana, collection("4A"))

    (explained,) = explain_user(ana, collection("Reds"))

    assert (explained.read, explained.write) == (True, True)
    assert explained.because == ("ana is coach of 4A, which is above 4A/Reds",)


def test_assignable_coach_gets_nothing_by_that(facility: Collection) -> None:
    ana = school.new_user(facility, "ana")
    school.new_role(ana, facility, RoleKind.ASSIGNABLE_COACH)

    (explained,) = explain_user(ana, collection("4A"))

    assert explained.because == (
        "ana is neither a member of 4A or a group in it, nor coach or admin of it or what is above it",
    )


def test_facility_itself_is_explained_as_what_it_is(facility: Collection) -> None:
    (explained,) = explain_user(school.new_user(facility, "lea"), facility)

    assert (explained.read, explained.write) == (False, False)
