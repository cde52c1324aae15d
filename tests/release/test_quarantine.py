"""Edits that may not be synced any more: set aside, offered back, decided on by a person. Nothing typed is lost."""

from __future__ import annotations

import json

import pytest

from course_assignment.facility.models import PROFILE, Collection, CourseAssignment
from morango_collection_sync.models import EditKind, PushedCounter, QuarantinedEdit, QuarantineReason
from morango_collection_sync.pending import pending_edits, serialize_pending
from morango_collection_sync.quarantine import (
    NotWritable,
    Offered,
    Standing,
    current_version,
    discard,
    offer_back,
    restore,
    standing_of,
)
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.release.town import (
    Elsewhere,
    Town,
    findings,
    held,
    pulled,
    quarantined,
    stored_content,
    sync_hubs,
    titles,
)
from tests.school import Joined


@pytest.fixture
def coaching(town: Town, joined: Joined) -> Joined:
    """Ada coaches class A and is a member of it, and her tablet knows."""
    town.make_coach(town.ada, town.class_a)
    joined.sync()
    return joined


def _edit(title: str = "a0", to: str = "a0 by ada") -> None:
    assignment = CourseAssignment.objects.get(title=title)
    assignment.title = to
    assignment.save()


def _create(title: str = "new") -> None:
    school.assign(Collection.objects.get(name="A"), title)


def _delete(title: str = "a1") -> None:
    CourseAssignment.objects.get(title=title).delete()


def _lose_access(town: Town) -> None:
    town.end_coach(town.ada, town.class_a)
    town.withdraw(town.ada, town.class_a)


def _get_access_back(town: Town) -> None:
    town.enrol(town.ada, town.class_a)
    town.make_coach(town.ada, town.class_a)


def _on_hub(town: Town, record_id: str, title: str) -> None:
    with town.hub:
        assignment = CourseAssignment.objects.get(id=record_id)
        assignment.title = title
        assignment.save()


def _titles_in_quarantine() -> set[tuple[str, str]]:
    return {(edit.kind, json.loads(edit.serialized)["title"]) for edit in quarantined()}


def test_edit_creation_and_deletion_are_set_aside_when_access_is_lost(town: Town, coaching: Joined) -> None:
    _edit()
    _create()
    _delete()
    _lose_access(town)

    outcome = pulled(coaching.sync())

    assert outcome.quarantined == 3
    assert not held(town.partition(town.class_a))
    assert _titles_in_quarantine() == {
        (EditKind.CHANGE, "a0 by ada"),
        (EditKind.CREATION, "new"),
        (EditKind.DELETION, "a1"),
    }
    for edit in quarantined():
        assert edit.reason == QuarantineReason.ACCESS_LOST
        assert json.loads(edit.user_ids) == [town.ada.id]
        assert edit.quarantined_at.tzinfo is not None
    with town.hub:
        assert titles(town.class_a) == {"a0", "a1", "a2"}


def test_a_record_edited_without_the_role_is_as_the_hub_has_it_within_the_same_sync(
    town: Town, coaching: Joined
) -> None:
    _edit()
    _create()
    _delete()
    town.end_coach(town.ada, town.class_a)

    report = coaching.sync()

    assert pulled(report).quarantined == 3
    assert titles(town.class_a) == {"a0", "a1", "a2"}
    mine = stored_content(town.partition(town.class_a))
    with town.hub:
        assert mine == stored_content(town.partition(town.class_a))
    assert not findings(town.dataset_id)


def test_an_assignment_made_offline_for_a_class_that_the_hub_has_deleted_is_kept(town: Town, coaching: Joined) -> None:
    _create("hours of work")
    with town.hub:
        Collection.objects.get(id=town.class_a.id).delete()

    coaching.sync()

    (edit,) = quarantined()
    assert (edit.kind, edit.reason) == (EditKind.CREATION, QuarantineReason.COLLECTION_GONE)
    assert json.loads(edit.serialized)["title"] == "hours of work"
    assert not held(town.partition(town.class_a))
    assert not findings(town.dataset_id)


def test_a_deletion_made_offline_of_ones_own_assignment_is_set_aside(town: Town, coaching: Joined) -> None:
    _create("mine")
    coaching.sync()
    _delete("mine")
    _lose_access(town)
    coaching.sync()
    assert _titles_in_quarantine() == {(EditKind.DELETION, "mine")}


def test_what_was_made_and_deleted_before_any_hub_heard_of_it_is_nothing_to_keep(town: Town, joined: Joined) -> None:
    town.make_coach(town.ada, town.class_a)
    joined.sync(push=False)
    _create("fleeting")
    serialize_pending(PROFILE, town.dataset_id)
    _delete("fleeting")
    _lose_access(town)
    joined.sync()
    assert not quarantined()


def test_what_was_pushed_is_not_set_aside(town: Town, coaching: Joined) -> None:
    _edit()
    _create()
    _delete()
    coaching.sync()
    _lose_access(town)
    coaching.sync()
    assert not held(town.partition(town.class_a))
    assert not quarantined()


def test_what_never_was_this_devices_is_not_set_aside(town: Town, coaching: Joined) -> None:
    _on_hub(town, CourseAssignment.objects.get(title="a0").id, "a0 of the hub")
    coaching.sync()
    _lose_access(town)
    coaching.sync()
    assert not quarantined()


def test_what_a_hub_says_that_it_has_is_not_set_aside(town: Town, coaching: Joined) -> None:
    _edit()
    coaching.sync()
    # The push's end was not heard: all that this device noted of it is gone.
    PushedCounter.objects.all().delete()
    coaching.sync(push=False)
    assert not pending_edits([town.partition(town.class_a)])
    town.end_coach(town.ada, town.class_a)
    coaching.sync()
    assert not quarantined()
    assert titles(town.class_a) == {"a0 by ada", "a1", "a2"}


def test_what_a_hub_turns_out_to_have_leaves_quarantine_by_itself(town: Town, coaching: Joined) -> None:
    _edit()
    _create()
    _delete()
    coaching.sync()
    # The push's end was not heard, and access is lost before another pull could tell.
    PushedCounter.objects.all().delete()
    _lose_access(town)
    coaching.sync()
    assert len(quarantined()) == 3
    _get_access_back(town)
    coaching.sync()
    assert not quarantined()
    assert titles(town.class_a) == {"a0 by ada", "new", "a2"}


@pytest.mark.parametrize("keeps_membership", [True, False])
def test_unchanged_edits_come_back_by_themselves_and_reach_the_hub(
    town: Town, coaching: Joined, keeps_membership: bool
) -> None:
    _edit()
    _create()
    _delete()
    town.end_coach(town.ada, town.class_a)
    if not keeps_membership:
        town.withdraw(town.ada, town.class_a)
    coaching.sync()
    assert len(quarantined()) == 3
    if not keeps_membership:
        town.enrol(town.ada, town.class_a)
        coaching.sync()
        assert len(quarantined()) == 3, "reading is not writing"
    town.make_coach(town.ada, town.class_a)

    outcome = pulled(coaching.sync())

    assert (outcome.restored, outcome.waiting) == (3, 0)
    assert not quarantined()
    assert titles(town.class_a) == {"a0 by ada", "new", "a2"}
    with town.hub:
        assert titles(town.class_a) == {"a0 by ada", "new", "a2"}


def test_an_edit_whose_record_has_changed_waits_with_both_versions(town: Town, coaching: Joined) -> None:
    record_id = CourseAssignment.objects.get(title="a0").id
    _edit()
    _lose_access(town)
    coaching.sync()
    _on_hub(town, record_id, "a0 of the hub")
    _get_access_back(town)

    outcome = pulled(coaching.sync())

    assert (outcome.restored, outcome.waiting) == (0, 1)
    (edit,) = quarantined()
    assert json.loads(edit.serialized)["title"] == "a0 by ada"
    assert json.loads(current_version(edit) or "{}")["title"] == "a0 of the hub"
    assert titles(town.class_a) == {"a0 of the hub", "a1", "a2"}


def test_an_edit_of_a_record_that_was_deleted_meanwhile_waits(town: Town, coaching: Joined) -> None:
    _edit()
    _lose_access(town)
    coaching.sync()
    with town.hub:
        CourseAssignment.objects.get(title="a0").delete()
    _get_access_back(town)
    assert pulled(coaching.sync()).waiting == 1
    (edit,) = quarantined()
    assert current_version(edit) is None
    restore(edit)
    coaching.sync()
    with town.hub:
        assert titles(town.class_a) == {"a0 by ada", "a1", "a2"}


def test_a_creation_that_somebody_else_made_too_waits(town: Town, coaching: Joined) -> None:
    _create("mine")
    course = CourseAssignment.objects.get(title="mine").course
    _lose_access(town)
    coaching.sync()
    town.assign(town.class_a, "theirs", course=course)
    _get_access_back(town)
    assert pulled(coaching.sync()).waiting == 1
    assert titles(town.class_a) == {"a0", "a1", "a2", "theirs"}


def test_a_waiting_edit_stays_when_its_record_is_edited_here_again_and_pushed(town: Town, coaching: Joined) -> None:
    record_id = CourseAssignment.objects.get(title="a0").id
    _edit()
    _lose_access(town)
    coaching.sync()
    _on_hub(town, record_id, "a0 of the hub")
    _get_access_back(town)
    coaching.sync()
    assert len(quarantined()) == 1
    _edit("a0 of the hub", "a0 by ada, anew")
    coaching.sync()

    coaching.sync()

    assert _titles_in_quarantine() == {(EditKind.CHANGE, "a0 by ada")}


def test_two_edits_of_one_record_over_two_leavings_both_wait(town: Town, coaching: Joined) -> None:
    record_id = CourseAssignment.objects.get(title="a0").id
    _edit(to="first")
    _lose_access(town)
    coaching.sync()
    _on_hub(town, record_id, "a0 of the hub")
    _get_access_back(town)
    coaching.sync()
    _edit("a0 of the hub", "second")
    _lose_access(town)
    coaching.sync()
    assert _titles_in_quarantine() == {(EditKind.CHANGE, "first"), (EditKind.CHANGE, "second")}
    _get_access_back(town)

    assert pulled(coaching.sync()).waiting == 2

    first, second = quarantined()
    discard(first)
    assert pulled(coaching.sync()).restored == 1
    assert not quarantined()
    with town.hub:
        assert titles(town.class_a) == {"second", "a1", "a2"}
    assert second.record_id == record_id


def test_a_person_restores_an_edit_and_the_next_sync_carries_it(town: Town, coaching: Joined) -> None:
    record_id = CourseAssignment.objects.get(title="a0").id
    _edit()
    _lose_access(town)
    coaching.sync()
    _on_hub(town, record_id, "a0 of the hub")
    _get_access_back(town)
    coaching.sync()

    restore(quarantined()[0])

    assert not quarantined()
    coaching.sync()
    with town.hub:
        assert titles(town.class_a) == {"a0 by ada", "a1", "a2"}


def test_a_person_restores_a_deletion(town: Town, coaching: Joined) -> None:
    record_id = CourseAssignment.objects.get(title="a1").id
    _delete()
    _lose_access(town)
    coaching.sync()
    _on_hub(town, record_id, "a1 of the hub")
    _get_access_back(town)
    assert pulled(coaching.sync()).waiting == 1
    restore(quarantined()[0])
    coaching.sync()
    with town.hub:
        assert titles(town.class_a) == {"a0", "a2"}


def test_a_person_gives_an_edit_up(town: Town, coaching: Joined) -> None:
    _edit()
    _lose_access(town)
    coaching.sync()
    discard(quarantined()[0])
    _get_access_back(town)
    coaching.sync()
    assert not quarantined()
    assert titles(town.class_a) == {"a0", "a1", "a2"}


def test_an_edit_is_not_restored_while_nobody_may_write(town: Town, coaching: Joined) -> None:
    _edit()
    town.end_coach(town.ada, town.class_a)
    coaching.sync()
    with pytest.raises(NotWritable):
        restore(quarantined()[0])
    assert len(quarantined()) == 1
    assert titles(town.class_a) == {"a0", "a1", "a2"}


def test_going_over_the_limit_does_not_keep_an_edit_from_coming_back(
    town: Town, coaching: Joined, settings: object
) -> None:
    _create("one too many")
    _lose_access(town)
    coaching.sync()
    settings.COURSE_ASSIGNMENT = {"MAX_ACTIVE_PER_COLLECTION": 3}  # type: ignore[attr-defined]
    _get_access_back(town)
    coaching.sync()
    with town.hub:
        assert titles(town.class_a) == {"a0", "a1", "a2", "one too many"}


def test_nothing_is_offered_back_from_a_hub_that_has_not_sent_the_collection(town: Town, coaching: Joined) -> None:
    _edit()
    _lose_access(town)
    coaching.sync()
    assert offer_back(PROFILE, town.dataset_id, [town.partition(town.class_a)]) == Offered()
    assert standing_of(quarantined()[0]) is Standing.UNCHANGED
    assert QuarantinedEdit.objects.count() == 1


def test_an_edit_pushed_to_a_hub_that_a_second_hub_has_not_heard_of_comes_back_from_neither_twice(
    town: Town, coaching: Joined, second: Device, elsewhere: Elsewhere
) -> None:
    _create("mine")
    coaching.sync()
    _lose_access(town)
    coaching.sync()
    elsewhere.sync()
    assert not quarantined()
    _get_access_back(town)
    with second:
        sync_hubs(town.base_url)
    elsewhere.sync()
    coaching.sync()
    assert titles(town.class_a) == {"a0", "a1", "a2", "mine"}
