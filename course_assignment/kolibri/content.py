"""The content that course assignments have asked for is given up with them, also when a release takes them."""

from __future__ import annotations

from typing import Any

from kolibri.core.auth.models import Facility
from kolibri.core.content.models import ContentDownloadRequest, ContentRequestReason
from kolibri.core.content.utils.assignment import DeletedAssignment
from kolibri.core.content.utils.content_request import create_content_removal_requests

from course_assignment.kolibri.models import CourseAssignment


def give_up_content(sender: object, dataset_id: str, **kwargs: Any) -> None:
    """After a release: give up the content of the assignments that are not here any more.

    A release leaves no tombstone, by which Kolibri would see what went. What something else has asked for as well
    stays: Kolibri removes nothing that another request still wants.

    :param dataset_id: of the release, 32 hex digits
    """
    facility = Facility.objects.filter(dataset_id=dataset_id).first()
    if facility is None:
        return
    model = CourseAssignment.morango_model_name
    asked = ContentDownloadRequest.objects.filter(
        source_model=model, facility_id=facility.id, reason=ContentRequestReason.SyncInitiated
    )
    gone = set(asked.values_list("source_id", flat=True)) - set(CourseAssignment.objects.values_list("id", flat=True))
    if gone:
        create_content_removal_requests(facility, [DeletedAssignment(model, source_id) for source_id in sorted(gone)])
