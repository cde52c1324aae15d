"""The oracle bites: of a fault planted in the extension, a short history breaks a promise, which is told by name."""

from __future__ import annotations

import pytest

from course_assignment.simulation.promises import BrokenPromise
from course_assignment.simulation.school import Knobs, School
from morango_collection_sync.simulation.databases import Databases
from tests.simulation_school import histories as seen
from tests.simulation_school.histories import History
from tests.simulation_school.plants import PLANTS

FOUND_BY: dict[str, tuple[History, str]] = {
    "releases_by_deleting": (seen.left_and_returned, "P1"),
    "keeps_counters": (seen.left_and_returned, "P1"),
    "keeps_stored_records": (seen.left_and_returned, "P1"),
    "releases_by_the_peers_list": (seen.hub_that_has_not_heard, "P6"),
    "never_releases": (seen.left_and_returned, "P1"),
    "forgets_other_users": (seen.one_of_two_users_leaves, "P2"),
    "nulls_unknown_authors": (seen.author_who_is_not_here, "P10"),
    "verifies_nothing": (seen.device_that_lies, "P8"),
    "asks_the_policy_once": (seen.role_ends_while_a_push_is_interrupted, "P7"),
    "grants_readers_to_push": (seen.role_ends_and_the_device_only_pushes, "P7"),
    "skips_deletions": (seen.deleted_offline, "P3"),
    "deletes_what_was_made_again": (seen.withdrawn_and_enrolled_again_before_a_sync, "P5"),
    "sets_nothing_aside": (seen.edited_and_role_lost_and_given_again, "P3"),
    "gives_up_quarantined_edits": (seen.edited_and_role_lost_and_given_again, "P3"),
    "lets_work_go_with_its_collection": (seen.edited_in_a_class_that_is_deleted, "P3"),
    "overlooks_backups": (seen.put_back_from_a_backup, "P3"),
}


@pytest.mark.parametrize("name", PLANTS)
def test_is_found(name: str, databases: Databases) -> None:
    history, promise = FOUND_BY[name]
    with School(databases, Knobs()) as school, PLANTS[name](), pytest.raises(BrokenPromise) as broken:
        history(school)
    assert broken.value.promise == promise
