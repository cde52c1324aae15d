"""Who may read and write which collection, from memberships and roles in a tree of collections. Pure.

One function decides for every host; a host only says what its database knows. The rules are those of Kolibri's
roles and memberships (``kolibri.core.auth.models``, 0.19): a role counts for everything below its collection,
a membership for everything above it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from morango_collection_sync.grants import Grant

MANAGING_ROLES = frozenset({"admin", "coach"})
"""The kinds of role that read and write. Kolibri's ``classroom assignable coach`` is none of them."""


@dataclass(frozen=True)
class AccessFacts:
    """What a database knows of one user's place in one dataset.

    :param dataset_id: 32 hex digits
    :param parents: each collection's id with its parent's; only collections that are there
    :param facilities: the ids of those collections that are the facility itself
    :param memberships: the ids of the collections that the user is a member of
    :param roles: pairs of a collection's id and the kind of role that the user has there
    """

    dataset_id: str
    parents: Mapping[str, str | None] = field(default_factory=dict)
    facilities: frozenset[str] = frozenset()
    memberships: frozenset[str] = frozenset()
    roles: frozenset[tuple[str, str]] = frozenset()


class Tie(Enum):
    """What ties a user to a collection."""

    MEMBERSHIP = "membership"
    ROLE = "role"


@dataclass(frozen=True, order=True)
class AccessReason:
    """Why a user may read a collection (and write it, where the tie is a role).

    :param via: the collection that the membership or role is in: this one, one below it or one above it
    :param kind: ``member``, or the kind of the role
    """

    via: str
    kind: str

    @property
    def tie(self) -> Tie:
        """A membership reads; a role reads and writes."""
        return Tie.ROLE if self.kind in MANAGING_ROLES else Tie.MEMBERSHIP


def access_reasons(facts: AccessFacts) -> dict[str, tuple[AccessReason, ...]]:
    """Each collection that the user may read, with all the reasons why; never the facility itself."""
    found: dict[str, set[AccessReason]] = defaultdict(set)
    for collection_id in facts.memberships:
        for reached in _with_ancestors(collection_id, facts.parents):
            found[reached].add(AccessReason(collection_id, "member"))
    managed = {pair for pair in facts.roles if pair[0] in facts.parents and pair[1] in MANAGING_ROLES}
    if managed:
        children = _children(facts.parents)
        for collection_id, kind in managed:
            # Of the facility it is all of them, those too whose parent has not arrived here yet.
            everything = collection_id in facts.facilities
            for reached in facts.parents if everything else _with_descendants(collection_id, children):
                found[reached].add(AccessReason(collection_id, kind))
    return {
        collection_id: tuple(sorted(reasons))
        for collection_id, reasons in found.items()
        if collection_id not in facts.facilities
    }


def grant_from_facts(facts: AccessFacts) -> Grant:
    """What the user may read and write, by these facts."""
    reasons = access_reasons(facts)
    writable = (
        collection_id for collection_id, why in reasons.items() if any(reason.tie is Tie.ROLE for reason in why)
    )
    return Grant(facts.dataset_id, frozenset(reasons), frozenset(writable))


def _with_ancestors(collection_id: str, parents: Mapping[str, str | None]) -> Iterator[str]:
    seen: set[str] = set()
    current: str | None = collection_id
    # A parent that is not there (its row has not arrived) ends the walk, and so does a circle in bad data.
    while current is not None and current in parents and current not in seen:
        seen.add(current)
        yield current
        current = parents[current]


def _with_descendants(collection_id: str, children: Mapping[str, list[str]]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = [collection_id]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            yield current
            waiting.extend(children.get(current, ()))


def _children(parents: Mapping[str, str | None]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = defaultdict(list)
    for collection_id, parent_id in parents.items():
        if parent_id is not None:
            children[parent_id].append(collection_id)
    return children
