"""Who may read and write what, said a second time: as cases, and as a slow restatement without the program's code.

Every host's policy is tested against both. A host gives no ids of its own here: collections go by short names,
which a test turns into rows or ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import strategies as st

FACILITY = "facility"
PARENTS: dict[str, str | None] = {
    FACILITY: None,
    "class A": FACILITY,
    "group A1": "class A",
    "group A2": "class A",
    "class B": FACILITY,
    "group B1": "class B",
}
"""The small school of the cases."""

EVERYTHING = frozenset(PARENTS) - {FACILITY}
CLASS_A = frozenset({"class A", "group A1", "group A2"})
CLASS_B = frozenset({"class B", "group B1"})
ASSIGNABLE_COACH = "classroom assignable coach"
ROLE_KINDS = ("admin", "coach", ASSIGNABLE_COACH)


class Case(NamedTuple):
    """One user of the small school: what they are, and what that gives them."""

    memberships: frozenset[str]
    roles: frozenset[tuple[str, str]]
    reads: frozenset[str]
    writes: frozenset[str]


def _case(
    memberships: Iterable[str] = (),
    roles: Iterable[tuple[str, str]] = (),
    reads: Iterable[str] = (),
    writes: Iterable[str] = (),
) -> Case:
    return Case(frozenset(memberships), frozenset(roles), frozenset(reads), frozenset(writes))


CASES = {
    "nobody in particular": _case(),
    "a member of a class reads it, and not its groups": _case(memberships=["class A"], reads=["class A"]),
    "a member of a group reads it and its class": _case(memberships=["group A1"], reads=["group A1", "class A"]),
    "a member of a class and a group reads both": _case(
        memberships=["class A", "group A1"], reads=["class A", "group A1"]
    ),
    "a member of two classes reads both": _case(memberships=["class A", "class B"], reads=["class A", "class B"]),
    "a member of the facility reads nothing by that": _case(memberships=[FACILITY]),
    "a coach of a class reads and writes it and its groups": _case(
        roles=[("class A", "coach")], reads=CLASS_A, writes=CLASS_A
    ),
    "an admin of a class is like its coach": _case(roles=[("class A", "admin")], reads=CLASS_A, writes=CLASS_A),
    "a coach of a group has nothing of the class above it": _case(
        roles=[("group A1", "coach")], reads=["group A1"], writes=["group A1"]
    ),
    "a coach of the facility reads and writes all": _case(
        roles=[(FACILITY, "coach")], reads=EVERYTHING, writes=EVERYTHING
    ),
    "an admin of the facility reads and writes all": _case(
        roles=[(FACILITY, "admin")], reads=EVERYTHING, writes=EVERYTHING
    ),
    "an assignable coach has nothing by that": _case(
        roles=[(FACILITY, ASSIGNABLE_COACH), ("class A", ASSIGNABLE_COACH)]
    ),
    "an assignable coach of the facility who coaches a class": _case(
        roles=[(FACILITY, ASSIGNABLE_COACH), ("class A", "coach")], reads=CLASS_A, writes=CLASS_A
    ),
    "a coach of one class who learns in another only reads there": _case(
        memberships=["class B", "group B1"], roles=[("class A", "coach")], reads=CLASS_A | CLASS_B, writes=CLASS_A
    ),
    "a learner who coaches a group of the own class": _case(
        memberships=["class A"],
        roles=[("group A2", "coach")],
        reads=["class A", "group A2"],
        writes=["group A2"],
    ),
}


class Known(NamedTuple):
    """What one database knows: each collection with its parent, which of them are facilities, one user's ties.

    A parent, a membership or a role may name a collection that is not there: deleted, or not arrived yet.
    """

    parents: dict[str, str | None]
    facilities: frozenset[str]
    memberships: frozenset[str]
    roles: frozenset[tuple[str, str]]


def expected_reads(known: Known) -> frozenset[str]:
    """The collections that the user may read, by the table in the design."""
    by_membership = {
        collection
        for collection in known.parents
        for joined in known.memberships
        if joined in known.parents and (collection == joined or collection in _above(joined, known))
    }
    return (frozenset(by_membership) | expected_writes(known)) - known.facilities


def expected_writes(known: Known) -> frozenset[str]:
    """The collections that the user may write, by the table in the design."""
    return (
        frozenset(
            collection
            for collection in known.parents
            for place, kind in known.roles
            if kind in ("coach", "admin")
            and place in known.parents
            and (place in known.facilities or collection == place or place in _above(collection, known))
        )
        - known.facilities
    )


def _above(collection: str, known: Known) -> set[str]:
    above: set[str] = set()
    while True:
        one_further = {known.parents[each] for each in {collection} | above} & known.parents.keys()
        if one_further <= above:
            return above
        above |= one_further


@st.composite
def known_worlds(draw: st.DrawFn, names: tuple[str, ...] = tuple("abcdefgh")) -> Known:
    """Any tree, sound or not (missing parents, circles), and any ties, some to collections that are not there."""
    present = draw(st.lists(st.sampled_from(names), unique=True))
    anywhere = st.sampled_from(names)
    return Known(
        parents={name: draw(st.none() | anywhere) for name in present},
        facilities=draw(st.frozensets(st.sampled_from(present), max_size=2)) if present else frozenset(),
        memberships=draw(st.frozensets(anywhere, max_size=3)),
        roles=draw(st.frozensets(st.tuples(anywhere, st.sampled_from(ROLE_KINDS)), max_size=3)),
    )
