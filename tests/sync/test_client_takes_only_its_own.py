"""A device takes a wider filter only where each addition is a collection of its session's own dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from morango.models.core import Buffer, DatabaseMaxCounter, Store, SyncSession, TransferSession

from course_assignment.facility.models import Collection, CourseAssignment
from morango_collection_sync.errors import FilterRefused
from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.server import DeviceServer
from tests import school
from tests.sync.dishonest import DishonestApplication

OTHER_DATASET = "e" * 32
OTHER_USER = "b" * 32
COLLECTION = "c" * 32

ADDITIONS: dict[str, Callable[[str], str]] = {
    "a collection of another dataset": lambda dataset: f"{OTHER_DATASET}:{COLLECTION}",
    "the whole dataset": lambda dataset: dataset,
    "another whole dataset": lambda dataset: OTHER_DATASET,
    "what another user reads": lambda dataset: f"{dataset}:user-ro:{OTHER_USER}",
    "what all users of a kind read": lambda dataset: f"{dataset}:user-ro",
    "something below a collection": lambda dataset: f"{dataset}:{COLLECTION}:more",
    "the beginning of a collection": lambda dataset: f"{dataset}:{COLLECTION[:8]}",
    "a wildcard": lambda dataset: f"{dataset}:%",
    "a wildcard as long as an id": lambda dataset: f"{dataset}:{'_' * 32}",
    "a quote": lambda dataset: f"{dataset}:{COLLECTION[:31]}'",
    "capital letters": lambda dataset: f"{dataset}:{COLLECTION.upper()}",
    "a colon and nothing": lambda dataset: f"{dataset}:",
}


class Pair(NamedTuple):
    """A hub that can be dishonest, and a coach's laptop that has synced with it, and has an edit to push."""

    hub: Device
    laptop: Device
    joined: school.Joined
    answers: DishonestApplication


@pytest.fixture(scope="module")
def pair(databases: Databases) -> Iterator[Pair]:
    hub, laptop = Device("hub", databases.new()), Device("laptop", databases.new())
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.new_role(school.new_user(facility, "carol"), classroom)
    answers = DishonestApplication()
    with DeviceServer(hub, answers) as server:
        with laptop:
            joined = school.join(server.base_url, "carol")
            joined.sync()
            school.assign(Collection.objects.get(id=classroom.id), "made on the laptop")
        with hub:
            school.assign(Collection.objects.get(id=classroom.id), "made on the hub")
        yield Pair(hub, laptop, joined, answers)
    for device in (hub, laptop):
        device.database.drop()


@pytest.fixture
def honest_in_the_end(pair: Pair) -> Iterator[None]:
    yield
    pair.answers.change = list


def _stored() -> tuple[Any, ...]:
    """All that a sync may leave behind."""
    return (
        sorted(Store.objects.values_list("id", "serialized")),
        sorted(CourseAssignment.objects.values_list("id", flat=True)),
        sorted(DatabaseMaxCounter.objects.values_list("partition", "instance_id", "counter")),
        Buffer.objects.count(),
    )


def _refusal(pair: Pair, *, push: bool) -> FilterRefused:
    """What a sync in this direction ends with, having left nothing behind on either side."""
    with pair.hub:
        on_hub = _stored()
    with pair.laptop:
        on_laptop = _stored()
        with pytest.raises(FilterRefused) as caught:
            pair.joined.sync(pull=not push, push=push)
        assert _stored() == on_laptop
        assert not SyncSession.objects.filter(active=True).exists()
        assert not TransferSession.objects.filter(active=True).exists()
    with pair.hub:
        assert _stored() == on_hub
    return caught.value


@pytest.mark.usefixtures("honest_in_the_end")
@pytest.mark.parametrize("push", [False, True], ids=["pull", "push"])
@pytest.mark.parametrize("addition", ADDITIONS.values(), ids=ADDITIONS)
def test_addition_is_refused_by_name_and_nothing_is_stored(
    pair: Pair, addition: Callable[[str], str], push: bool
) -> None:
    added = addition(pair.joined.dataset_id)
    pair.answers.change = lambda honest: [*honest, added]

    error = _refusal(pair, push=push)

    assert error.refused == (added,)
    assert error.missing == ()
    assert repr(added) in str(error)


@pytest.mark.usefixtures("honest_in_the_end")
@pytest.mark.parametrize("push", [False, True], ids=["pull", "push"])
def test_filter_that_lacks_what_was_asked_for_is_refused_by_name(pair: Pair, push: bool) -> None:
    lacking = f"{pair.joined.dataset_id}:user-rw:{pair.joined.user_id}"
    pair.answers.change = lambda honest: [partition for partition in honest if partition != lacking]

    error = _refusal(pair, push=push)

    assert error.missing == (lacking,)
    assert error.refused == ()


@pytest.mark.usefixtures("honest_in_the_end")
@pytest.mark.parametrize("answer", [None, 5, {}, ""], ids=repr)
def test_answer_that_is_no_filter_is_refused(pair: Pair, answer: Any) -> None:
    pair.answers.change = lambda honest: answer

    assert f"{pair.joined.dataset_id}:user-rw:{pair.joined.user_id}" in _refusal(pair, push=False).missing


def test_next_sync_with_an_honest_hub_works(pair: Pair) -> None:
    pair.answers.change = lambda honest: [*honest, pair.joined.dataset_id]
    for push in (False, True):
        _refusal(pair, push=push)

    pair.answers.change = list
    with pair.laptop:
        report = pair.joined.sync()
        assert school.held_assignments() == {"made on the laptop", "made on the hub"}
    with pair.hub:
        assert school.held_assignments() == {"made on the laptop", "made on the hub"}
    assert not report.resumed
