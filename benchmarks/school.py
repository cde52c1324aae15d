"""The school that is synced: classrooms with course assignments, learners of some of them, a coach of all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

COACH = "cora"
PASSWORD = "chalk"
CLASSROOMS_OF_A_LEARNER = 5


@dataclass(frozen=True)
class School:
    """How large a school is.

    :param classrooms: how many; each is one collection
    :param assignments: how many in each classroom
    :param learners: how many, each a member of five classrooms
    """

    classrooms: int
    assignments: int = 20
    learners: int = 1


def learner(number: int) -> str:
    """A learner's username."""
    return f"learner_{number}"


def classroom_name(number: int) -> str:
    """A classroom's name."""
    return f"Class {number}"


def build(school: School) -> None:
    """Make the school in this process's database, and serialize it: a first sync is not to pay for that.

    Rows are made in bulk; the tree of classrooms is flat, so that its numbers are known beforehand.
    """
    from morango.sync.controller import MorangoProfileController

    from course_assignment.facility.models import PROFILE, Collection, CollectionKind
    from tests import school as small

    facility = small.new_facility()
    root = Collection.objects.get(id=facility.id)
    Collection.objects.filter(id=root.id).update(rght=2 * school.classrooms + 2, update_dirty_bit_to=True)
    classrooms = _made(
        Collection(
            dataset_id=root.dataset_id,
            parent=root,
            name=classroom_name(number),
            kind=CollectionKind.CLASSROOM,
            tree_id=root.tree_id,
            level=1,
            lft=2 * number + 2,
            rght=2 * number + 3,
        )
        for number in range(school.classrooms)
    )
    _assign(classrooms, school.assignments)
    small.new_role(small.new_user(root, COACH, PASSWORD), root)
    for number in range(school.learners):
        user = small.new_user(root, learner(number), PASSWORD)
        for offset in range(min(CLASSROOMS_OF_A_LEARNER, len(classrooms))):
            small.enrol(user, classrooms[(number * CLASSROOMS_OF_A_LEARNER + offset) % len(classrooms)])
    MorangoProfileController(PROFILE).serialize_into_store()


def _assign(classrooms: list[Any], each: int) -> None:
    from course_assignment.facility.models import CourseAssignment

    _made(
        CourseAssignment(
            dataset_id=classroom.dataset_id,
            collection=classroom,
            course=f"{number:032x}",
            title=f"Course {number}",
            is_active=True,
        )
        for classroom in classrooms
        for number in range(each)
    )


def _made(rows: Iterable[Any]) -> list[Any]:
    rows = list(rows)
    for row in rows:
        row.id = row.calculate_uuid()
    for first in range(0, len(rows), 500):
        type(rows[first]).objects.bulk_create(rows[first : first + 500])
    return rows
