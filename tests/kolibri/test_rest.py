"""The REST interface: who sees and does what, and how errors look."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

import pytest
from kolibri.core.auth.models import Classroom, Facility, FacilityUser
from kolibri.core.content.models import ChannelMetadata, ContentNode
from rest_framework.test import APIClient

from course_assignment.kolibri.models import CourseAssignment
from tests.kolibri import school
from tests.kolibri.homes import PASSWORD

pytestmark = pytest.mark.django_db(databases="__all__")
URL = "/course_assignment/api/courseassignment/"


class _School(NamedTuple):
    facility: Facility
    ours: Classroom
    other: Classroom
    coach: FacilityUser
    learner: FacilityUser


@pytest.fixture
def small() -> _School:
    facility = school.new_facility()
    ours, other = school.new_classroom(facility, "A"), school.new_classroom(facility, "B")
    coach, learner = school.new_user(facility, "carol"), school.new_user(facility, "ada")
    ours.add_role(coach, "coach")
    ours.add_member(learner)
    return _School(facility, ours, other, coach, learner)


def _as(user: FacilityUser) -> APIClient:
    client = APIClient()
    assert client.login(username=user.username, password=PASSWORD, facility=user.facility)
    return client


def _titles(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.content
    return {item["title"] for item in answer.json()}


def _errors(answer: Any, status: int) -> list[tuple[str, str | None]]:
    assert answer.status_code == status, answer.content
    return [(error["id"], error["metadata"].get("field")) for error in answer.json()]


def _new(small: _School, **fields: Any) -> dict[str, Any]:
    return {"collection": small.ours.id, "course": uuid.uuid4().hex, "title": "Algebra", **fields}


def test_coach_sees_all_of_their_class_and_its_groups_and_nothing_else(small: _School) -> None:
    school.new_assignment(small.ours, "active")
    school.new_assignment(small.ours, "inactive", is_active=False)
    school.new_assignment(school.new_group(small.ours, "red"), "of a group")
    school.new_assignment(small.other, "of another class")
    assert _titles(_as(small.coach).get(URL)) == {"active", "inactive", "of a group"}


def test_learner_sees_the_active_ones_of_their_collections(small: _School) -> None:
    red, blue = school.new_group(small.ours, "red"), school.new_group(small.ours, "blue")
    red.add_member(small.learner)
    school.new_assignment(small.ours, "active")
    school.new_assignment(small.ours, "inactive", is_active=False)
    school.new_assignment(red, "of red")
    school.new_assignment(blue, "of blue")
    assert _titles(_as(small.learner).get(URL)) == {"active", "of red"}


def test_nobody_who_is_not_signed_in_sees_anything(small: _School) -> None:
    school.new_assignment(small.ours, "active")
    assert _titles(APIClient().get(URL)) == set()


def test_list_is_filtered_by_collection_and_by_course(small: _School) -> None:
    group = school.new_group(small.ours, "red")
    first = school.new_assignment(small.ours, "first")
    school.new_assignment(group, "second")
    client = _as(small.coach)
    assert _titles(client.get(URL, {"collection": group.id})) == {"second"}
    assert _titles(client.get(URL, {"course": first.course})) == {"first"}


def test_course_that_is_not_here_is_shown_as_what_it_is(small: _School) -> None:
    ids = {"channel_id": "c" * 32, "content_id": "d" * 32, "channel_version": 3}
    school.new_assignment(small.ours, "Algebra", **ids)
    (item,) = _as(small.learner).get(URL).json()
    assert item["missing_resource"] is True
    assert {name: item[name] for name in ids} == ids
    assert item["title"] == "Algebra"
    assert f"from channel {'c' * 32}, version 3; not on this device yet" in item["missing"]


def test_course_that_is_here_is_not_missing(small: _School) -> None:
    node = _course("Algebra")
    school.new_assignment(small.ours, "Algebra", course=node.id)
    (item,) = _as(small.learner).get(URL).json()
    assert (item["missing_resource"], item["missing"]) == (False, None)


def test_coach_assigns_and_is_noted_as_who_did(small: _School) -> None:
    answer = _as(small.coach).post(URL, _new(small, is_active=True, assigned_by="f" * 32), format="json")
    assert answer.status_code == 201, answer.content
    assignment = CourseAssignment.objects.get()
    assert answer.json()["id"] == assignment.id
    assert assignment.assigned_by == small.coach.id
    assert assignment.is_active


def test_title_and_origin_come_from_the_course_where_it_is_here(small: _School) -> None:
    node = _course("Algebra")
    new = _new(small, course=node.id)
    del new["title"]
    answer = _as(small.coach).post(URL, new, format="json")
    assert answer.status_code == 201, answer.content
    item = answer.json()
    assert (item["title"], item["channel_id"], item["content_id"], item["channel_version"]) == (
        "Algebra",
        node.channel_id,
        node.content_id,
        7,
    )


def test_coach_activates_and_deletes(small: _School) -> None:
    assignment = school.new_assignment(small.ours, "one", is_active=False)
    client = _as(small.coach)
    answer = client.patch(f"{URL}{assignment.id}/", {"is_active": True}, format="json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["is_active"] is True
    assert client.delete(f"{URL}{assignment.id}/").status_code == 204
    assert not CourseAssignment.objects.exists()


@pytest.mark.parametrize("who", ["learner", "coach"])
def test_nobody_writes_where_they_do_not_coach(small: _School, who: str) -> None:
    where = small.ours if who == "learner" else small.other
    assignment = school.new_assignment(where, "one")
    client = _as(getattr(small, who))
    detail = f"{URL}{assignment.id}/"
    answers = [
        client.post(URL, _new(small, collection=where.id), format="json"),
        client.patch(detail, {"is_active": False}, format="json"),
        client.delete(detail),
    ]
    for answer in answers:
        assert _errors(answer, 403) == [("PERMISSION_DENIED", None)]
    assert CourseAssignment.objects.get().is_active


def test_limit_and_being_over_it_are_in_the_answers(small: _School, settings: Any) -> None:
    for title in ("one", "two"):
        school.new_assignment(small.ours, title)
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 1}
    item = _as(small.coach).get(URL).json()[0]
    assert (item["active_in_collection"], item["limit"], item["over_limit"]) == (2, 1, True)


def test_number_of_statements_does_not_grow_with_the_assignments(
    small: _School, django_assert_max_num_queries: Any
) -> None:
    client = _as(small.coach)
    school.new_assignment(small.ours, "one")
    client.get(URL)
    with django_assert_max_num_queries(100) as few:
        client.get(URL)
    for n in range(10):
        school.new_assignment(small.ours, f"more {n}")
    with django_assert_max_num_queries(len(few)):
        client.get(URL)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"course": "no id"}, [("INVALID", "course")]),
        ({"collection": "0" * 32}, [("DOES_NOT_EXIST", "collection")]),
        ({"title": ""}, [("BLANK", "title")]),
        ({"is_active": "perhaps"}, [("INVALID", "is_active")]),
    ],
)
def test_bad_input_gets_kolibris_error_format(
    small: _School, fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert _errors(_as(small.coach).post(URL, _new(small, **fields), format="json"), 400) == expected


def test_refusals_of_an_assignment_name_the_field_and_the_rule(small: _School, settings: Any) -> None:
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 1}
    first = school.new_assignment(small.ours, "one")
    admin = school.new_user(small.facility, "head")
    small.facility.add_role(admin, "admin")
    client = _as(admin)

    def refused(**fields: Any) -> list[tuple[str, str | None]]:
        return _errors(client.post(URL, _new(small, **fields), format="json"), 400)

    assert refused(is_active=True) == [("TOO_MANY_ACTIVE", "is_active")]
    assert refused(course=first.course) == [("ALREADY_ASSIGNED", "course")]
    assert refused(collection=small.facility.id) == [("FACILITY_NOT_ASSIGNABLE", "collection")]
    moved = client.patch(f"{URL}{first.id}/", {"collection": small.other.id}, format="json")
    assert _errors(moved, 400) == [("ASSIGNMENT_FIXED", "collection")]
    assert CourseAssignment.objects.get().collection_id == small.ours.id


def _course(title: str) -> ContentNode:
    channel_id = uuid.uuid4().hex
    node = ContentNode.objects.create(
        id=uuid.uuid4().hex,
        title=title,
        channel_id=channel_id,
        content_id=uuid.uuid4().hex,
        kind="topic",
        available=True,
    )
    ChannelMetadata.objects.create(id=channel_id, name="a channel", version=7, root=node)
    return node
