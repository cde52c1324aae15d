"""Active assignments ask for their course's content; inactive, deleted and released ones give it up."""

from __future__ import annotations

import pytest
from kolibri.core.content.models import ContentDownloadRequest, ContentRemovalRequest
from kolibri.core.content.utils.content_request import incomplete_removals_queryset, synchronize_content_requests
from kolibri.core.device.utils import set_device_settings

from course_assignment.kolibri.models import CourseAssignment
from morango_collection_sync.signals import collection_released
from tests.kolibri import school

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def classroom() -> school.Classroom:
    facility = school.new_facility()
    set_device_settings(enable_automatic_download=True)
    return school.new_classroom(facility, "A")


def _asked() -> set[str]:
    return {str(course) for course in ContentDownloadRequest.objects.values_list("contentnode_id", flat=True)}


def _given_up() -> set[str]:
    return {str(course) for course in ContentRemovalRequest.objects.values_list("contentnode_id", flat=True)}


def _hex(ids: set[str]) -> set[str]:
    return {each.replace("-", "") for each in ids}


def test_active_assignment_asks_for_its_course_with_what_is_below_it(classroom: school.Classroom) -> None:
    active = school.new_assignment(classroom, "active", channel_version=2)
    school.new_assignment(classroom, "inactive", is_active=False)
    synchronize_content_requests(classroom.dataset_id)
    request = ContentDownloadRequest.objects.get()
    assert _hex(_asked()) == {active.course}
    assert (request.source_model, _hex({str(request.source_id)})) == ("courseassignment", {active.id})
    assert request.metadata == {"import_descendants": True}
    assert request.channel_version == 2


def test_assignment_that_is_made_inactive_gives_its_course_up(classroom: school.Classroom) -> None:
    assignment = school.new_assignment(classroom, "one")
    synchronize_content_requests(classroom.dataset_id)
    assignment.is_active = False
    assignment.save()
    synchronize_content_requests(classroom.dataset_id)
    assert _asked() == set()
    assert _hex(_given_up()) == {assignment.course}


def test_released_assignment_gives_its_course_up_without_a_tombstone(classroom: school.Classroom) -> None:
    gone, kept = school.new_assignment(classroom, "gone"), school.new_assignment(classroom, "kept")
    synchronize_content_requests(classroom.dataset_id)
    # As a release does it: no signal of Django tells of the row.
    CourseAssignment.objects.filter(id=gone.id)._raw_delete("default")

    collection_released.send(object, dataset_id=classroom.dataset_id, collection_id=classroom.id, records=1)

    assert _hex(_asked()) == {kept.course}
    assert _hex(_given_up()) == {gone.course}


def test_course_that_another_assignment_still_asks_for_is_not_removed(classroom: school.Classroom) -> None:
    gone = school.new_assignment(classroom, "gone")
    school.new_assignment(school.new_group(classroom, "red"), "kept", course=gone.course)
    synchronize_content_requests(classroom.dataset_id)
    CourseAssignment.objects.filter(id=gone.id)._raw_delete("default")

    collection_released.send(object, dataset_id=classroom.dataset_id, collection_id=classroom.id, records=1)

    assert _hex(_asked()) == {gone.course}
    assert not incomplete_removals_queryset().exists()
