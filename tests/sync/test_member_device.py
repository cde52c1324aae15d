"""A member device gets what its user belongs to, and gives back what its user may write. Over real HTTP."""

from __future__ import annotations

from course_assignment.facility.models import Collection, CourseAssignment
from tests import school
from tests.conftest import NewDevice, Serve


def test_learner_gets_exactly_the_assignments_of_their_class(new_device: NewDevice, serve: Serve) -> None:
    hub, tablet = new_device("hub"), new_device("tablet")
    with hub:
        facility = school.new_facility()
        class_a, class_b = (school.new_classroom(facility, name) for name in ("A", "B"))
        school.enrol(school.new_user(facility, "ada"), class_a)
        expected = {school.assign(class_a, f"a{n}").id for n in range(3)}
        for n in range(3):
            school.assign(class_b, f"b{n}")

    base_url = serve(hub)
    with tablet:
        school.join(base_url, "ada").sync(push=False)

        assert school.held_assignments() == {"a0", "a1", "a2"}
        assert school.stored_assignment_ids() == expected


def test_coach_pushes_what_was_assigned_offline(new_device: NewDevice, serve: Serve) -> None:
    hub, laptop = new_device("hub"), new_device("laptop")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        coach = school.new_user(facility, "carol")
        school.new_role(coach, classroom)

    base_url = serve(hub)
    with laptop:
        joined = school.join(base_url, "carol")
        joined.sync()
        school.assign(Collection.objects.get(id=classroom.id), "made offline", by=coach)
        joined.sync()
    with hub:
        assert CourseAssignment.objects.get(title="made offline").assigned_by == coach.id
