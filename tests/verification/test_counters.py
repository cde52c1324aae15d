"""What of a sender's counters is taken over, for any counters. Pure."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from morango_collection_sync.partitions import is_within
from morango_collection_sync.verification.counters import (
    GREATEST_COUNTER,
    SavedCounter,
    counters_problem,
    justified,
)

DATASET = "a" * 32
OWN = "0" * 32
INSTANCES = (OWN, "1" * 32, "2" * 32)
PARTITIONS = tuple(DATASET + rest for rest in ("", ":p", ":p:q", ":pq", ":r"))
FILTER = (DATASET + ":p", DATASET + ":r")
INSIDE = tuple(partition for partition in PARTITIONS if is_within(partition, FILTER))

counters = st.integers(0, 50)
saved_counters = st.lists(
    st.builds(SavedCounter, st.sampled_from(INSIDE), st.sampled_from(INSTANCES), counters), max_size=6
)
held_counters = st.dictionaries(
    st.tuples(st.sampled_from(("", *PARTITIONS)), st.sampled_from(INSTANCES)), counters, max_size=6
)
declared_counters = st.fixed_dictionaries(
    {
        "sub": st.dictionaries(st.sampled_from(INSIDE), st.dictionaries(st.sampled_from(INSTANCES), counters)),
        "super": st.just({}),
    }
)
older_counters = st.dictionaries(st.sampled_from(INSTANCES), counters)


@given(declared_counters, saved_counters, held_counters)
def test_nothing_is_taken_over_that_no_record_shows(declared: Any, saved: Any, held: Any) -> None:
    taken = justified(declared, saved, FILTER, OWN, held, by_partition=True)["sub"]

    for partition, instances in taken.items():
        for instance_id, counter in instances.items():
            assert counter <= declared["sub"][partition][instance_id]
            assert any(
                each.instance_id == instance_id and each.counter >= counter and is_within(each.partition, [partition])
                for each in saved
            )


@given(declared_counters, saved_counters, held_counters)
def test_counters_only_rise_and_never_for_oneself(declared: Any, saved: Any, held: Any) -> None:
    taken = justified(declared, saved, FILTER, OWN, held, by_partition=True)["sub"]

    for partition, instances in taken.items():
        assert OWN not in instances
        assert all(counter > held.get((partition, instance_id), 0) for instance_id, counter in instances.items())


@given(saved_counters)
def test_every_record_of_an_honest_sender_is_counted(saved: list[SavedCounter]) -> None:
    """An honest sender declares at least what its records have, so that none of them comes a second time."""
    declared = {"sub": {partition: dict.fromkeys(INSTANCES, 50) for partition in FILTER}, "super": {}}

    taken = justified(declared, saved, FILTER, OWN, {}, by_partition=True)["sub"]

    for each in saved:
        if each.instance_id != OWN:
            covering = [taken.get(p, {}).get(each.instance_id, 0) for p in FILTER if is_within(each.partition, [p])]
            assert max(covering) >= each.counter


@given(older_counters, saved_counters, held_counters)
def test_older_counters_are_shown_in_every_partition_of_the_filter(declared: Any, saved: Any, held: Any) -> None:
    taken = justified(declared, saved, FILTER, OWN, held, by_partition=False)

    for instance_id, counter in taken.items():
        assert instance_id != OWN
        for partition in FILTER:
            assert any(
                each.instance_id == instance_id and each.counter >= counter and is_within(each.partition, [partition])
                for each in saved
            )


@given(declared_counters)
def test_counters_of_the_filter_have_no_problem(declared: Any) -> None:
    assert counters_problem(declared, FILTER, by_partition=True) is None


def test_counters_above_the_filter_have_no_problem() -> None:
    above = {"sub": {}, "super": {"": {OWN: 1}, DATASET: {OWN: GREATEST_COUNTER}}}

    assert counters_problem(above, FILTER, by_partition=True) is None


def test_counters_beside_the_filter_are_a_problem() -> None:
    for part in ("sub", "super"):
        beside = {"sub": {}, "super": {}, part: {DATASET + ":pq": {OWN: 1}}}
        assert counters_problem(beside, FILTER, by_partition=True) is not None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_anything_else_is_a_problem_and_no_error(declared: Any) -> None:
    sound = isinstance(declared, dict) and set(declared) == {"sub", "super"} and not any(declared.values())

    assert (counters_problem(declared, FILTER, by_partition=True) is None) == sound
    assert json.dumps(declared)
