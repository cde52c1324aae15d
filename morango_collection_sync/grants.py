"""What one user may read and write, and what that does to the filter of a transfer session. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from morango_collection_sync.errors import FilterRefused, InvalidGrant
from morango_collection_sync.partitions import (
    collection_partition,
    is_collection_partition,
    is_hex_id,
)


@dataclass(frozen=True)
class Grant:
    """The collections of one dataset that a user may read, and those that they may write.

    :param dataset_id: 32 hex digits
    :param readable: collection ids, 32 hex digits each
    :param writable: those of the readable ones that may be written, too
    :raises InvalidGrant: when an id is malformed or something is writable but not readable
    """

    dataset_id: str
    readable: frozenset[str] = frozenset()
    writable: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for value in (self.dataset_id, *self.readable, *self.writable):
            if not is_hex_id(value):
                raise InvalidGrant(f"{value!r} in a grant is not an id of 32 hex digits")
        if not self.writable <= self.readable:
            raise InvalidGrant(
                f"collections {sorted(self.writable - self.readable)} would be writable but not readable"
            )

    def collections(self, *, push: bool) -> frozenset[str]:
        """The collection ids that a session in this direction may carry: writable on a push, else readable."""
        return self.writable if push else self.readable

    def partitions(self, *, push: bool) -> tuple[str, ...]:
        """The partitions that a session in this direction may carry, sorted."""
        return tuple(
            sorted(
                collection_partition(self.dataset_id, collection_id) for collection_id in self.collections(push=push)
            )
        )

    def __or__(self, other: Grant) -> Grant:
        """What two users of one device may read and write together.

        :raises InvalidGrant: when the two are of different datasets
        """
        if other.dataset_id != self.dataset_id:
            raise InvalidGrant(f"grants of datasets {self.dataset_id} and {other.dataset_id} cannot be joined")
        return Grant(self.dataset_id, self.readable | other.readable, self.writable | other.writable)


def grant_of_all(dataset_id: str, grants: Iterable[Grant]) -> Grant:
    """What all of these together may read and write; nothing, when there are none."""
    joined = Grant(dataset_id)
    for grant in grants:
        joined |= grant
    return joined


def accepted_filter(
    asked: Iterable[str],
    offered: Iterable[str],
    dataset_id: str,
    accepts: Callable[[str, str], bool] = is_collection_partition,
) -> tuple[str, ...]:
    """The filter that a device takes from a hub's answer: what it asked for, and collections of its own dataset.

    :param asked: the partitions that the device asked for
    :param offered: the partitions in the hub's answer
    :param dataset_id: the dataset of the session, 32 hex digits
    :param accepts: whether a partition may be added in a dataset, as ``AccessPolicy.accepts_partition`` says
    :return: the offered partitions, in their order
    :raises FilterRefused: when an addition is anything else, or something that was asked for is missing
    """
    # Dicts as sets that keep their order.
    asked, offered = dict.fromkeys(asked), dict.fromkeys(offered)
    refused = [partition for partition in offered if partition not in asked and not accepts(partition, dataset_id)]
    missing = [partition for partition in asked if partition not in offered]
    if refused or missing:
        raise FilterRefused(refused, missing, dataset_id)
    return tuple(offered)
