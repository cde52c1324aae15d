"""Our operations in Kolibri's own list, and models in the order in which Morango applies them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from kolibri.core.auth.models import AdHocGroup, Classroom, Facility, LearnerGroup
from kolibri.core.auth.sync_operations import KolibriSyncOperations
from morango.constants import transfer_stages
from morango.registry import STAGE_TO_SETTINGS, syncable_models

from course_assignment.kolibri.models import CourseAssignment
from course_assignment.kolibri.operations import operations_for
from morango_collection_sync.conf import OPERATIONS


@pytest.mark.parametrize("stage", transfer_stages.ALL)
def test_kolibris_own_run_behind_ours_and_ahead_of_those_that_do_morangos_work(stage: str) -> None:
    listed = KolibriSyncOperations().get_operations(SimpleNamespace(stage=stage))
    ours = operations_for(stage)
    ahead = sorted((each for each in ours if each.priority > 0), key=lambda each: -each.priority)
    behind = [each for each in ours if each.priority <= 0]
    assert len(ours) == len(OPERATIONS.get(STAGE_TO_SETTINGS[stage], ()))
    assert listed[: len(ahead)] == ahead
    assert listed[len(listed) - len(behind) :] == behind


def test_every_stage_gives_kolibri_the_operations_that_are_listed_for_it() -> None:
    for stage in transfer_stages.ALL:
        names = [f"{type(each).__module__}:{type(each).__name__}" for each in operations_for(stage)]
        assert names == list(OPERATIONS.get(STAGE_TO_SETTINGS[stage], ()))


def test_assignments_are_applied_after_the_collections_that_came_with_them() -> None:
    models = syncable_models.get_models("facilitydata")
    assert all(
        models.index(collection) < models.index(CourseAssignment)
        for collection in (Facility, Classroom, LearnerGroup, AdHocGroup)
    )
