"""Versions of records, as the oracle thinks of them: a value, and the edits that it was made upon. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional, Union


class CollectionKey(NamedTuple):
    """A classroom or group, by its label."""

    collection: str
    what: str = "collection"


class TieKey(NamedTuple):
    """A user's membership of a collection, or role there."""

    user: str
    collection: str
    what: str = "membership"


class AssignmentKey(NamedTuple):
    """A course assigned to a collection, both by their labels."""

    collection: str
    course: str
    what: str = "assignment"


Key = Union[CollectionKey, TieKey, AssignmentKey]


class Assigned(NamedTuple):
    """What an assignment says.

    :param by: the label of the user who assigned it; None for the hub itself
    """

    title: str
    active: bool
    by: Optional[str]  # noqa: UP045 - a NamedTuple's annotations are evaluated on Python 3.9


@dataclass(frozen=True)
class Version:
    """A record as one edit, or the meeting of two, has left it.

    :param value: what it says; None where it is deleted
    :param before: the numbers of all edits and meetings that led to it, its own included
    """

    value: Any
    before: frozenset[int] = frozenset()


ABSENT = Version(None)
"""Nothing of the record is there, not even its deletion."""

Versions = frozenset[Version]
"""What may be there, one of these."""

UNKNOWN: Versions = frozenset([ABSENT])

Meeting = Callable[[frozenset[int]], int]
"""The number of a meeting of two versions made apart, by the edits of both."""


def met(mine: Version, theirs: Version, meeting: Meeting) -> Versions:
    """What may be here when theirs has arrived where mine is: the later one, or, of two made apart, either."""
    if mine.before >= theirs.before:
        return frozenset([mine])
    if theirs.before > mine.before:
        return frozenset([theirs])
    together = mine.before | theirs.before
    together |= {meeting(together)}
    return frozenset([Version(mine.value, together), Version(theirs.value, together)])


def all_met(mine: Iterable[Version], theirs: Iterable[Version], meeting: Meeting) -> Versions:
    """As :func:`met`, for what may be here and what may have arrived."""
    theirs = list(theirs)
    return frozenset(version for one in mine for other in theirs for version in met(one, other, meeting))
