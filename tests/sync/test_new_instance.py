"""A device that became another instance (Morango's id is made of the machine's and the database's) keeps its edits."""

from __future__ import annotations

from morango.models.core import DatabaseIDModel, InstanceIDModel

from course_assignment.facility.models import Collection, CourseAssignment, FacilityUser
from tests import school
from tests.sync.links import Link


def test_deletion_that_a_pull_has_serialized_reaches_the_hub_from_the_next_instance(link: Link) -> None:
    with link.hub:
        other = school.new_classroom(Collection.objects.get(parent=None), "Another")
        school.new_role(FacilityUser.objects.get(username="carol"), other)
        school.assign(other, "another")
    with link.laptop:
        link.joined.sync()
        CourseAssignment.objects.get(title="from the hub").delete()
        # An edit elsewhere, so that it is not for the deletion alone that the pull serializes.
        school.assign(Collection.objects.get(name="Another"), "one more")
        link.joined.sync(push=False)
        DatabaseIDModel.objects.create()
        InstanceIDModel.get_or_create_current_instance(clear_cache=True)

        link.joined.sync()

    with link.hub:
        assert school.held_assignments() == {"another", "one more"}
