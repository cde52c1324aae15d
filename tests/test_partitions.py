"""What a partition is, and what lies inside what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morango_collection_sync.errors import InvalidPartition
from morango_collection_sync.partitions import (
    CollectionPartition,
    collection_partition,
    is_collection_partition,
    is_hex_id,
    is_well_formed,
    is_within,
    outside,
    parse_collection_partition,
)

DATASET = "d" * 32
OTHER_DATASET = "e" * 32
COLLECTION = "c" * 32

hex_ids = st.text("0123456789abcdef", min_size=32, max_size=32)
words = st.text("ab01-_Z", min_size=1, max_size=4)
partitions = st.builds(lambda head, tail: ":".join([head, *tail]), hex_ids, st.lists(words, max_size=4))
# Few and short words, so that one often lies in another, or only begins like it.
crowded = st.builds(
    lambda tail: ":".join([DATASET, *tail]), st.lists(st.sampled_from(["a", "aa", "ab", "b", COLLECTION]), max_size=3)
)
anything = st.one_of(st.none(), st.integers(), st.binary(), st.text())

MALFORMED = {
    "nothing": "",
    "a word that is no id": "allusers-ro",
    "an id of 31 digits": "d" * 31,
    "an id of 33 digits": "d" * 33,
    "capital digits": "D" * 32,
    "digits of another script": "٣" * 32,
    "a newline at the end": DATASET + "\n",
    "a newline in the middle": f"{DATASET}:a\n{DATASET}:b",
    "a blank at the beginning": f" {DATASET}",
    "an empty word": f"{DATASET}::a",
    "an empty last word": f"{DATASET}:",
    "a quote, which would end the SQL string": f"{DATASET}:' OR 1=1 --",
    "a percent sign, which would match anything in SQL": f"{DATASET}:%",
    "letters outside ASCII": f"{DATASET}:klassé",
    "no string": None,
    "bytes": DATASET.encode(),
}


@given(hex_ids)
def test_any_32_lowercase_hex_digits_are_an_id(value: str) -> None:
    assert is_hex_id(value)


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_id_is_told_apart(value: object) -> None:
    assert not is_hex_id(value)


@given(partitions)
def test_an_id_and_words_behind_colons_are_well_formed(partition: str) -> None:
    assert is_well_formed(partition)


@pytest.mark.parametrize("partition", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_partition_is_told_apart(partition: object) -> None:
    assert not is_well_formed(partition)


@given(anything)
def test_nothing_that_a_peer_sends_makes_the_checks_raise(value: object) -> None:
    is_hex_id(value)
    is_well_formed(value)
    is_collection_partition(value)


@given(hex_ids, hex_ids)
def test_a_collection_partition_gives_back_the_ids_that_it_was_made_from(dataset_id: str, collection_id: str) -> None:
    partition = collection_partition(dataset_id, collection_id)
    assert partition == f"{dataset_id}:{collection_id}"
    assert parse_collection_partition(partition) == (dataset_id, collection_id)
    assert str(CollectionPartition(dataset_id, collection_id)) == partition


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_no_collection_partition_is_made_from_what_is_no_id(value: object) -> None:
    for ids in [(value, COLLECTION), (DATASET, value)]:
        with pytest.raises(InvalidPartition) as raised:
            collection_partition(*ids)
        assert raised.value.partition == value
        assert raised.value.expected == "an id of 32 hex digits"


NO_COLLECTION_PARTITIONS = {
    **MALFORMED,
    "a whole dataset": DATASET,
    "everybody's records": f"{DATASET}:allusers-ro",
    "one user's records": f"{DATASET}:user-rw:{COLLECTION}",
    "something below a collection": f"{DATASET}:{COLLECTION}:more",
    "a collection partition and a newline": f"{DATASET}:{COLLECTION}\n",
}


@pytest.mark.parametrize("partition", NO_COLLECTION_PARTITIONS.values(), ids=NO_COLLECTION_PARTITIONS)
def test_what_is_no_collection_partition_is_refused(partition: object) -> None:
    assert not is_collection_partition(partition)
    with pytest.raises(InvalidPartition) as raised:
        parse_collection_partition(partition)
    assert raised.value.partition == partition
    assert repr(partition) in str(raised.value)


@given(hex_ids, hex_ids, hex_ids)
def test_a_collection_partition_is_of_its_own_dataset_only(
    dataset_id: str, collection_id: str, another_id: str
) -> None:
    partition = collection_partition(dataset_id, collection_id)
    assert is_collection_partition(partition)
    assert is_collection_partition(partition, dataset_id)
    assert is_collection_partition(partition, another_id) == (another_id == dataset_id)


@given(crowded, st.lists(crowded, max_size=3))
def test_a_partition_lies_within_a_prefix_of_whole_words(partition: str, prefixes: list[str]) -> None:
    given_words = partition.split(":")
    expected = any(given_words[: len(prefix.split(":"))] == prefix.split(":") for prefix in prefixes)
    assert is_within(partition, prefixes) == expected


def test_beginning_with_the_same_letters_is_not_lying_within() -> None:
    # Morango's own comparison says that it is.
    assert not is_within(f"{DATASET}:user-rw:ab", [f"{DATASET}:user-rw:a"])


@given(st.lists(crowded, max_size=6), st.lists(crowded, max_size=3))
def test_outside_keeps_what_lies_within_nothing_in_its_order(candidates: list[str], prefixes: list[str]) -> None:
    expected = tuple(partition for partition in candidates if not is_within(partition, prefixes))
    assert outside(candidates, prefixes) == expected


def test_outside_takes_iterators() -> None:
    inside = f"{DATASET}:a"
    found = outside(iter([f"{OTHER_DATASET}:b", inside, f"{OTHER_DATASET}:c"]), iter([DATASET]))
    assert found == (f"{OTHER_DATASET}:b", f"{OTHER_DATASET}:c")
