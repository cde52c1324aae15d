"""Who may read and write which collection, told once more, for the oracle alone. Pure.

It shares nothing with the policy that it is held against: a school has two levels, and that is all this knows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Optional


class Rights(NamedTuple):
    """Labels of collections."""

    readable: frozenset[str]
    writable: frozenset[str]


def rights_of(
    user: str,
    collections: Collection[str],
    class_of: Mapping[str, Optional[str]],  # noqa: UP045 - Python 3.9
    memberships: Collection[tuple[str, str]],
    roles: Collection[tuple[str, str]],
) -> Rights:
    """What a user may read and write.

    :param collections: the labels of the classes and groups that are there
    :param class_of: for each group its class; None for a class
    :param memberships: pairs of user and collection
    :param roles: pairs of user and collection: coaches
    """
    readable, writable = set(), set()
    for label in collections:
        above = class_of[label]
        if (user, label) in roles or (above in collections and (user, above) in roles):
            writable.add(label)
        groups = [group for group in collections if class_of[group] == label]
        if (user, label) in memberships or any((user, group) in memberships for group in groups):
            readable.add(label)
    return Rights(frozenset(readable | writable), frozenset(writable))


def together(rights: Collection[Rights]) -> Rights:
    """What several users may do on one device."""
    return Rights(
        frozenset().union(*(each.readable for each in rights)),
        frozenset().union(*(each.writable for each in rights)),
    )
