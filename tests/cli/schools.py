"""Schools for the tests of the command. Each function runs in a process that is the hub's device."""

from __future__ import annotations

import uuid
from operator import attrgetter

PASSWORD = "chalk"
"""Everybody's, at every school here."""

HILLSIDE_CLASSES = ("Grade 1A", "Grade 1B", "Grade 2C", "Grade 5A", "Grade 6B", "Grade 6C")
"""The six classes of the real roster that have groups and courses."""

GROUPS = ("Reds", "Blues")
COURSES_EACH = 20


def course_id(title: str) -> str:
    """The id of the course of this title: 32 hex digits."""
    return uuid.uuid5(uuid.NAMESPACE_OID, title).hex


def add_groups_and_courses() -> None:
    """Two groups in each of six classes of Hillside, and twenty courses assigned to each class and each group.

    Of those who are in no other class, Reds has the first by name, Blues the second. The author is the class's first
    coach by name.
    """
    from django.db.models import Count

    from course_assignment.facility import roster
    from course_assignment.facility.assignments import CourseInfo, assign
    from course_assignment.facility.lookup import find_collection, full_name
    from course_assignment.facility.models import FacilityUser

    for class_name in HILLSIDE_CLASSES:
        classroom = find_collection(class_name)
        learners = FacilityUser.objects.alias(classes=Count("membership")).filter(classes=1)
        members = sorted(learners.filter(membership__collection=classroom), key=attrgetter("username"))
        coach = min(FacilityUser.objects.filter(role__collection=classroom), key=attrgetter("username"))
        groups = [roster.create_group(classroom, name, [member]) for name, member in zip(GROUPS, members)]
        for collection in (classroom, *groups):
            for number in range(COURSES_EACH):
                title = f"{full_name(collection)} {number}"
                assign(collection, course_id(title), CourseInfo(title), coach, active=number < COURSES_EACH - 1)


def make_small_school() -> None:
    """A facility with two classes of two learners and a coach each, and a group called Reds in both.

    4A: ana coaches; lea (of the Reds) and leo learn. 4B: bea coaches; lia (of the Reds) and lou learn. head is the
    facility's admin. 4A has three courses of which the last is not active, its Reds one; 4B has as many active ones
    as it may.
    """
    from course_assignment.facility import roster
    from course_assignment.facility.assignments import CourseInfo, assign
    from course_assignment.facility.lookup import find_collection, find_user
    from course_assignment.facility.models import Collection
    from course_assignment.facility.user_export import parse_export
    from course_assignment.facility.user_import import UserImport

    facility = roster.create_facility("Bergstation", "head", PASSWORD)
    UserImport(facility, PASSWORD).run(parse_export(SMALL_EXPORT, "a small school"))
    for class_name, member in (("4A", "lea"), ("4B", "lia")):
        roster.create_group(find_collection(class_name), "Reds", [find_user(member)])

    def add(collection: Collection, title: str, by: str, active: bool = True) -> None:
        assign(collection, course_id(title), CourseInfo(title), find_user(by), active=active)

    for number in range(3):
        add(find_collection("4A"), f"4A {number}", "ana", active=number < 2)
    add(find_collection("4A/Reds"), "4A/Reds 0", "ana")
    for number in range(20):
        add(find_collection("4B"), f"4B {number}", "bea")


EXPORT_HEADER = "UUID,USERNAME,PASSWORD,FULL_NAME,USER_TYPE,IDENTIFIER,BIRTH_YEAR,GENDER,ENROLLED_IN,ASSIGNED_TO"


def export_row(
    username: str,
    *,
    uuid: str = "",
    password: str = "*",
    full_name: str = "",
    user_type: str = "LEARNER",
    enrolled: str = "",
    coaches: str = "",
) -> str:
    """A row of a user export, of these cells."""
    return f'{uuid},{username},{password},{full_name},{user_type},,,,"{enrolled}","{coaches}"'


SMALL_EXPORT = "\n".join(
    [
        EXPORT_HEADER,
        export_row("ana", user_type="CLASS_COACH", coaches="4A"),
        export_row("lea", enrolled="4A"),
        export_row("leo", enrolled="4A"),
        export_row("bea", user_type="CLASS_COACH", coaches="4B"),
        export_row("lia", enrolled="4B"),
        export_row("lou", enrolled="4B"),
    ]
)
