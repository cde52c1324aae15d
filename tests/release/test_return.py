"""Leaving and coming back, in every order, ends as if one had never left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from morango.models.core import TransferSession
from requests.exceptions import ConnectionError as RequestLost

from course_assignment.facility.leaving import leave
from course_assignment.facility.models import Collection, CourseAssignment
from morango_collection_sync.driver import SyncDriver
from tests import school
from tests.conftest import NewDevice
from tests.release.town import Town, findings, held, stored_content, titles
from tests.school import Joined


@pytest.fixture
def coaching(town: Town, joined: Joined) -> Joined:
    """Ada coaches class A and is a member of it, and has written in it, which the hub has."""
    town.make_coach(town.ada, town.class_a)
    joined.sync()
    school.assign(Collection.objects.get(name="A"), "mine")
    joined.sync()
    return joined


def _leave(town: Town) -> None:
    town.end_coach(town.ada, town.class_a)
    town.withdraw(town.ada, town.class_a)


def _come_back(town: Town) -> None:
    town.enrol(town.ada, town.class_a)
    town.make_coach(town.ada, town.class_a)


def _is_as_on_the_hub(town: Town) -> None:
    """Check that this device has class A as the hub has it, and nothing that it should not have."""
    mine = stored_content(town.partition(town.class_a))
    here = titles(town.class_a)
    with town.hub:
        assert mine == stored_content(town.partition(town.class_a))
        assert here == titles(town.class_a)
    assert not findings(town.dataset_id)


def _interrupt_pull(joined: Joined) -> None:
    """Begin a pull, and lose the connection when the first records are about to come."""

    def lose(**kwargs: Any) -> None:
        raise RequestLost("the connection is cut")

    with SyncDriver.connect(joined.base_url, progress=lose) as driver, pytest.raises(RequestLost):
        driver.sync(joined.client_certificate(), joined.server_certificate(), push=False)


def _before_any_sync(town: Town, joined: Joined) -> None:
    _leave(town)
    _come_back(town)


def _with_a_sync_in_between(town: Town, joined: Joined) -> None:
    _leave(town)
    joined.sync()
    assert not held(town.partition(town.class_a))
    _come_back(town)


def _left_between_pull_and_push(town: Town, joined: Joined) -> None:
    joined.sync(push=False)
    _leave(town)
    joined.sync(pull=False)
    _come_back(town)


def _back_between_pull_and_push(town: Town, joined: Joined) -> None:
    _leave(town)
    joined.sync(push=False)
    _come_back(town)
    joined.sync(pull=False)


def _with_the_old_session_open(town: Town, joined: Joined) -> None:
    town.assign(town.class_a, "under way")
    _interrupt_pull(joined)
    assert TransferSession.objects.filter(active=True, push=False).exists()
    _leave(town)
    _come_back(town)


def _with_the_old_session_open_and_a_sync_in_between(town: Town, joined: Joined) -> None:
    town.assign(town.class_a, "under way")
    _interrupt_pull(joined)
    _leave(town)
    joined.sync()
    assert not held(town.partition(town.class_a))
    _come_back(town)


def _after_the_class_was_renamed(town: Town, joined: Joined) -> None:
    _leave(town)
    joined.sync()
    with town.hub:
        classroom = Collection.objects.get(id=town.class_a.id)
        classroom.name = "A, renamed"
        classroom.save()
    _come_back(town)


def _after_assignments_were_changed_and_deleted(town: Town, joined: Joined) -> None:
    _leave(town)
    joined.sync()
    with town.hub:
        for title in ("a0", "mine"):
            assignment = CourseAssignment.objects.get(title=title)
            assignment.title = f"{title}, changed"
            assignment.save()
        CourseAssignment.objects.get(title="a1").delete()
    _come_back(town)


def _three_times(town: Town, joined: Joined) -> None:
    for _ in range(3):
        _with_a_sync_in_between(town, joined)
        joined.sync()


@pytest.mark.parametrize("all_counters", [False, True])
@pytest.mark.parametrize(
    "away",
    [
        _before_any_sync,
        _with_a_sync_in_between,
        _left_between_pull_and_push,
        _back_between_pull_and_push,
        _with_the_old_session_open,
        _with_the_old_session_open_and_a_sync_in_between,
        _after_the_class_was_renamed,
        _after_assignments_were_changed_and_deleted,
        _three_times,
    ],
    ids=lambda away: away.__name__.strip("_"),
)
def test_coming_back_brings_everything(
    town: Town, coaching: Joined, settings: Any, away: Callable[[Town, Joined], None], all_counters: bool
) -> None:
    settings.MORANGO_DISABLE_FSIC_REDUCTION = all_counters
    away(town, coaching)
    # What an interrupted session had queued comes first, what changed since with the next one.
    for _ in range(2):
        coaching.sync()
    _is_as_on_the_hub(town)
    assert any(title.startswith("mine") for title in titles(town.class_a))


def test_what_is_written_after_coming_back_reaches_the_hub(town: Town, coaching: Joined) -> None:
    _with_a_sync_in_between(town, coaching)
    coaching.sync()
    assignment = CourseAssignment.objects.get(title="mine")
    assignment.title = "mine, later"
    assignment.save()
    school.assign(Collection.objects.get(name="A"), "new")
    coaching.sync()
    with town.hub:
        assert titles(town.class_a) == {"a0", "a1", "a2", "mine, later", "new"}


def test_one_of_two_users_comes_back_to_what_the_other_kept(town: Town, coaching: Joined) -> None:
    bob = town.new_user("bob")
    town.enrol(bob, town.class_a)
    of_bob = school.join(town.base_url, "bob")
    of_bob.sync()
    _leave(town)
    coaching.sync()
    town.assign(town.class_a, "meanwhile")
    of_bob.sync()
    _come_back(town)
    coaching.sync()
    _is_as_on_the_hub(town)
    assert "meanwhile" in titles(town.class_a)


def test_a_user_who_left_the_device_comes_back_to_it(town: Town, coaching: Joined, new_device: NewDevice) -> None:
    assert leave("ada").partitions == {town.partition(town.class_a): 4}
    assert not held(town.partition(town.class_a))
    again = school.join(town.base_url, "ada")
    again.sync()
    _is_as_on_the_hub(town)


def test_an_edit_not_yet_pushed_is_kept_when_its_user_leaves_the_device(town: Town, coaching: Joined) -> None:
    school.assign(Collection.objects.get(name="A"), "hours of work")
    assert leave("ada").quarantined == 1
    school.join(town.base_url, "ada").sync()
    with town.hub:
        assert "hours of work" in titles(town.class_a)
