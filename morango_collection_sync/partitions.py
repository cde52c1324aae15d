"""Partition strings: what is one, which belong to a collection, and what lies inside what. Pure.

Morango compares partitions as plain prefixes of strings and formats them into SQL (``morango.sync.operations``,
0.8.15), so everything that decides about access compares them here, word by word, and only when well-formed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from morango_collection_sync.errors import InvalidPartition

_HEX_ID = re.compile(r"[0-9a-f]{32}")
_WELL_FORMED = re.compile(r"[0-9a-f]{32}(:[A-Za-z0-9_-]+)*")
_COLLECTION = re.compile(r"([0-9a-f]{32}):([0-9a-f]{32})")


class CollectionPartition(NamedTuple):
    """The two ids that a collection's partition is made of, each 32 hex digits."""

    dataset_id: str
    collection_id: str

    def __str__(self) -> str:
        return f"{self.dataset_id}:{self.collection_id}"


def is_hex_id(value: object) -> bool:
    """Whether this is an id as Morango writes it: 32 lowercase hex digits."""
    return isinstance(value, str) and _HEX_ID.fullmatch(value) is not None


def is_well_formed(partition: object) -> bool:
    """Whether this is a partition at all: a dataset's 32 hex digits, then words behind colons."""
    return isinstance(partition, str) and _WELL_FORMED.fullmatch(partition) is not None


def collection_partition(dataset_id: str, collection_id: str) -> str:
    """The partition of this collection's records.

    :param dataset_id: 32 hex digits
    :param collection_id: 32 hex digits
    :raises InvalidPartition: when one of them is not
    """
    for value in (dataset_id, collection_id):
        if not is_hex_id(value):
            raise InvalidPartition(value, "an id of 32 hex digits")
    return str(CollectionPartition(dataset_id, collection_id))


def parse_collection_partition(partition: str) -> CollectionPartition:
    """The ids in a collection's partition.

    :raises InvalidPartition: when it is not the partition of a collection
    """
    match = _COLLECTION.fullmatch(partition) if isinstance(partition, str) else None
    if match is None:
        raise InvalidPartition(partition, "a collection partition '<dataset_id>:<collection_id>'")
    return CollectionPartition(*match.groups())


def is_collection_partition(partition: object, dataset_id: str | None = None) -> bool:
    """Whether this is the partition of a collection, and of this dataset where one is given."""
    match = _COLLECTION.fullmatch(partition) if isinstance(partition, str) else None
    return match is not None and dataset_id in (None, match.group(1))


def is_within(partition: str, prefixes: Iterable[str]) -> bool:
    """Whether a partition is one of these, or lies below one: ``a:b`` lies below ``a``, ``ab`` does not."""
    return not outside((partition,), prefixes)


def outside(partitions: Iterable[str], prefixes: Iterable[str]) -> tuple[str, ...]:
    """Those partitions that do not lie within any of these prefixes, in their order."""
    within = frozenset(prefixes)
    return tuple(partition for partition in partitions if within.isdisjoint(_itself_and_above(partition)))


def _itself_and_above(partition: str) -> Iterator[str]:
    words = partition.split(":")
    return (":".join(words[:length]) for length in range(len(words), 0, -1))
