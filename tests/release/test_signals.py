"""What a host is told, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.dispatch import Signal

from course_assignment.facility.models import PROFILE, Membership
from course_assignment.facility.policy import FacilityPolicy
from morango_collection_sync.release import prepare_release, release_prepared
from morango_collection_sync.signals import collection_received, collection_released
from tests.release.town import Stopped, Town, counted, held, release, titles
from tests.school import Joined

Heard = list[tuple[Signal, type, dict[str, Any]]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Every signal, in the order in which it came, each after its transaction."""
    heard: Heard = []

    def hear(signal: Signal, sender: type, **facts: Any) -> None:
        assert not connection.in_atomic_block
        heard.append((signal, sender, facts))

    for signal in (collection_released, collection_received):
        signal.connect(hear)
    yield heard
    for signal in (collection_released, collection_received):
        signal.disconnect(hear)


def test_what_came_is_told_with_its_count(town: Town, joined: Joined, heard: Heard) -> None:
    town.enrol(town.ada, town.class_b)
    town.assign(town.class_a, "one more")
    joined.sync()
    facts = {"dataset_id": town.dataset_id}
    assert sorted(heard, key=lambda told: told[2]["records"]) == [
        (collection_received, FacilityPolicy, {**facts, "collection_id": town.class_a.id, "records": 1}),
        (collection_received, FacilityPolicy, {**facts, "collection_id": town.class_b.id, "records": 3}),
    ]


def test_what_was_released_is_told_with_its_count_and_not_again(town: Town, joined: Joined, heard: Heard) -> None:
    town.withdraw(town.ada, town.class_a)
    for _ in range(2):
        joined.sync()
    facts = {"dataset_id": town.dataset_id, "collection_id": town.class_a.id, "records": 3}
    assert heard == [(collection_released, FacilityPolicy, facts)]


def test_nothing_is_told_of_a_sync_that_brought_nothing(town: Town, joined: Joined, heard: Heard) -> None:
    joined.sync()
    assert heard == []


def test_nothing_is_told_of_what_was_rolled_back(town: Town, joined: Joined, heard: Heard) -> None:
    _lose_membership(town)
    prepare_release(PROFILE, town.dataset_id)
    with transaction.atomic():
        assert release_prepared(PROFILE, town.dataset_id).partitions
        transaction.set_rollback(True)
    assert heard == []
    assert titles(town.class_a) == {"a0", "a1", "a2"}


def test_nothing_is_told_of_a_release_that_was_interrupted(town: Town, joined: Joined, heard: Heard) -> None:
    _lose_membership(town)
    with pytest.raises(Stopped), counted(stop_before=25):
        release(town)
    assert heard == []
    release(town)
    assert len(heard) == 1


def test_a_receiver_that_fails_keeps_nobody_from_syncing(town: Town, joined: Joined, heard: Heard) -> None:
    def fail(**kwargs: Any) -> None:
        raise ValueError("the host's own mistake")

    collection_released.connect(fail)
    try:
        town.withdraw(town.ada, town.class_a)
        joined.sync()
    finally:
        collection_released.disconnect(fail)
    assert not held(town.partition(town.class_a))
    assert len(heard) == 1


def _lose_membership(town: Town) -> None:
    Membership.objects.filter(user_id=town.ada.id)._raw_delete("default")
