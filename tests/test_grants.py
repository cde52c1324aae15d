"""Grants as values, and which filters a device takes from a hub."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morango_collection_sync.errors import FilterRefused, InvalidGrant
from morango_collection_sync.grants import Grant, accepted_filter, grant_of_all
from morango_collection_sync.partitions import collection_partition

DATASET = "d" * 32
OTHER_DATASET = "e" * 32
A, B, C = (digit * 32 for digit in "abc")
USER = "1" * 32

collection_ids = st.sampled_from([A, B, C, USER])


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    readable = draw(st.frozensets(collection_ids))
    writable = draw(st.frozensets(st.sampled_from(sorted(readable)))) if readable else frozenset()
    return Grant(DATASET, readable, writable)


def test_a_pull_carries_the_readable_collections_and_a_push_the_writable_ones() -> None:
    grant = Grant(DATASET, readable=frozenset({A, B}), writable=frozenset({B}))
    assert grant.collections(push=False) == {A, B}
    assert grant.collections(push=True) == {B}
    assert grant.partitions(push=False) == (f"{DATASET}:{A}", f"{DATASET}:{B}")
    assert grant.partitions(push=True) == (f"{DATASET}:{B}",)


@given(grants())
def test_partitions_are_sorted_so_that_equal_grants_make_equal_filters(grant: Grant) -> None:
    for push in (False, True):
        partitions = grant.partitions(push=push)
        assert list(partitions) == sorted(partitions)
        assert set(partitions) == {collection_partition(DATASET, each) for each in grant.collections(push=push)}


def test_writing_without_reading_is_refused() -> None:
    with pytest.raises(InvalidGrant, match="would be writable but not readable"):
        Grant(DATASET, readable=frozenset({A}), writable=frozenset({A, B}))


@pytest.mark.parametrize(
    ("dataset_id", "readable", "writable"),
    [
        ("no id", frozenset(), frozenset()),
        (DATASET, frozenset({A, "' OR 1=1"}), frozenset()),
        (DATASET, frozenset({A.upper()}), frozenset({A.upper()})),
    ],
    ids=["dataset", "readable", "writable"],
)
def test_an_id_that_is_none_is_refused(dataset_id: str, readable: frozenset[str], writable: frozenset[str]) -> None:
    with pytest.raises(InvalidGrant, match="is not an id of 32 hex digits"):
        Grant(dataset_id, readable, writable)


@given(st.lists(grants(), max_size=4))
def test_the_users_of_a_device_may_together_what_one_of_them_may(of_each: list[Grant]) -> None:
    together = grant_of_all(DATASET, of_each)
    for push in (False, True):
        expected = {each for grant in of_each for each in grant.collections(push=push)}
        assert together.collections(push=push) == expected


def test_grants_of_two_datasets_are_not_joined() -> None:
    with pytest.raises(InvalidGrant, match=f"{DATASET} and {OTHER_DATASET}"):
        Grant(DATASET) | Grant(OTHER_DATASET)
    with pytest.raises(InvalidGrant):
        grant_of_all(DATASET, [Grant(OTHER_DATASET, frozenset({A}))])


ASKED = (f"{DATASET}:allusers-ro", f"{DATASET}:user-rw:{USER}")

NOT_TO_TAKE = {
    "the whole dataset": DATASET,
    "another user's records": f"{DATASET}:user-rw:{A}",
    "more of everybody's": f"{DATASET}:allusers-rw",
    "something below what was asked for": f"{DATASET}:user-rw:{USER}:more",
    "a collection of another dataset": f"{OTHER_DATASET}:{A}",
    "something below a collection": f"{DATASET}:{A}:more",
    "a prefix of a collection": f"{DATASET}:{A[:31]}",
    "every partition there is": "",
    "SQL": f"{DATASET}:' OR 1=1 --",
}


@pytest.mark.parametrize("addition", NOT_TO_TAKE.values(), ids=NOT_TO_TAKE)
def test_a_filter_with_an_addition_that_is_no_own_collection_is_refused(addition: str) -> None:
    good = f"{DATASET}:{A}"
    with pytest.raises(FilterRefused) as raised:
        accepted_filter(ASKED, (*ASKED, good, addition), DATASET)
    assert raised.value.refused == (addition,)
    assert raised.value.missing == ()
    assert raised.value.dataset_id == DATASET
    assert repr(addition) in str(raised.value)


def test_a_filter_that_leaves_out_what_was_asked_for_is_refused() -> None:
    with pytest.raises(FilterRefused) as raised:
        accepted_filter(ASKED, (ASKED[1], f"{DATASET}:{A}"), DATASET)
    assert raised.value.missing == (ASKED[0],)
    assert raised.value.refused == ()
    assert f"leaves out {ASKED[0]!r}" in str(raised.value)


def test_a_refusal_with_many_partitions_names_a_few_and_counts_the_rest() -> None:
    additions = [f"{DATASET}:user-rw:{number}" for number in range(5)]
    with pytest.raises(FilterRefused, match=r"user-rw:2' and 2 more, which"):
        accepted_filter(ASKED, [*ASKED, *additions], DATASET)


@given(
    asked=st.lists(st.sampled_from([*ASKED, *(f"{DATASET}:{each}" for each in (A, B))]), max_size=4, unique=True),
    offered=st.lists(
        st.sampled_from([*ASKED, *(f"{DATASET}:{each}" for each in (A, B, C)), *NOT_TO_TAKE.values()]),
        max_size=6,
        unique=True,
    ),
)
def test_a_device_takes_exactly_what_it_asked_for_and_collections_of_its_dataset(
    asked: list[str], offered: list[str]
) -> None:
    own_collections = {f"{DATASET}:{each}" for each in (A, B, C)}
    acceptable = set(asked) <= set(offered) <= set(asked) | own_collections
    if acceptable:
        assert accepted_filter(iter(asked), iter(offered), DATASET) == tuple(offered)
    else:
        with pytest.raises(FilterRefused):
            accepted_filter(asked, offered, DATASET)
