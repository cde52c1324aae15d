"""The machine bites: of a fault planted in the extension, it breaks a promise, within its bounds.

It is the same machine, of the same profile; what a fault is likely to show in goes first, so that it is found soon,
and the run ends there.
"""

from __future__ import annotations

import pytest

from morango_collection_sync.simulation.databases import Databases
from tests.simulation_school import machine
from tests.simulation_school.plants import PLANTS

SEED = 1

FOUND_BY: dict[str, tuple[str, set[str]]] = {
    "releases_by_deleting": ("left_and_returned", {"P1"}),
    "keeps_counters": ("left_and_returned", {"P1"}),
    "keeps_stored_records": ("left_and_returned", {"P1"}),
    "releases_by_the_peers_list": ("stale_hub", {"P2", "P6"}),
    "never_releases": ("left_and_returned", {"P1"}),
    "forgets_other_users": ("add_user", {"P1", "P2", "P6"}),
    "nulls_unknown_authors": ("edited_after_another", {"P10"}),
    "verifies_nothing": ("rogue", {"P8"}),
    "asks_the_policy_once": ("role_ended_in_between", {"P7"}),
    "grants_readers_to_push": ("role_ended_unheard", {"P7"}),
    "skips_deletions": ("unassign sync", {"P2", "P3"}),
    "deletes_what_was_made_again": ("left_and_returned_at_once", {"P2", "P5"}),
    "sets_nothing_aside": ("role_lost_with_work", {"P3"}),
    "gives_up_quarantined_edits": ("role_lost_with_work", {"P3"}),
    "lets_work_go_with_its_collection": ("class_deleted_with_work", {"P3"}),
    "overlooks_backups": ("put_back", {"P3"}),
    "overlooks_deletions": ("unassign sync", {"P1", "P2", "P3"}),
    "serializes_the_first_partition": ("retitle sync", {"P2", "P3", "P5"}),
    "keeps_a_grant_with_the_session": ("role_ended_unheard", {"P2", "P5", "P6", "P7"}),
    "drops_one_of_a_batch": ("new_device", {"P2"}),
    "forgets_a_partitions_counters": ("retitle sync", {"P2", "P3", "P5"}),
}
"""For each fault, the rules that go first, and the promises that it may break first."""


@pytest.mark.parametrize("name", PLANTS)
def test_is_found(name: str, databases: Databases) -> None:
    rules, promises = FOUND_BY[name]
    with PLANTS[name]():
        summary = machine.live(databases, SEED, first=rules.split())
    assert summary.broken is not None
    assert summary.broken.promise in promises
