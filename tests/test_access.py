"""The one function that decides who may read and write what, against the table in the design."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import example, given

from morango_collection_sync.access import AccessFacts, AccessReason, Tie, access_reasons, grant_from_facts
from tests.access_table import CASES, FACILITY, PARENTS, Case, Known, expected_reads, expected_writes, known_worlds

DATASET = "d" * 32


def _id(name: str) -> str:
    return name.encode().hex().ljust(32, "0")


def _ids(names: Iterable[str]) -> frozenset[str]:
    return frozenset(_id(name) for name in names)


def _facts(known: Known) -> AccessFacts:
    return AccessFacts(
        DATASET,
        parents={_id(name): parent and _id(parent) for name, parent in known.parents.items()},
        facilities=_ids(known.facilities),
        memberships=_ids(known.memberships),
        roles=frozenset((_id(place), kind) for place, kind in known.roles),
    )


def _in_the_small_school(
    memberships: Iterable[str] = (),
    roles: Iterable[tuple[str, str]] = (),
    parents: dict[str, str | None] = PARENTS,
) -> AccessFacts:
    return _facts(Known(parents, frozenset({FACILITY}), frozenset(memberships), frozenset(roles)))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case_of_the_table(case: Case) -> None:
    grant = grant_from_facts(_in_the_small_school(case.memberships, case.roles))
    assert grant.readable == _ids(case.reads)
    assert grant.writable == _ids(case.writes)


@given(known_worlds())
@example(Known({"a": "b", "b": "a"}, frozenset(), frozenset({"a"}), frozenset()))
@example(Known({"a": "b", "b": "a", "c": "a"}, frozenset(), frozenset(), frozenset({("b", "coach")})))
@example(Known({"a": "a"}, frozenset(), frozenset({"a"}), frozenset({("a", "admin")})))
@example(Known({"a": None, "b": "c"}, frozenset({"a"}), frozenset({"b"}), frozenset({("a", "coach")})))
def test_any_tree_with_any_ties_gives_what_the_table_says(known: Known) -> None:
    grant = grant_from_facts(_facts(known))
    assert grant.readable == _ids(expected_reads(known))
    assert grant.writable == _ids(expected_writes(known))


def test_the_restatement_agrees_with_every_case() -> None:
    for case in CASES.values():
        known = Known(PARENTS, frozenset({FACILITY}), case.memberships, case.roles)
        assert (expected_reads(known), expected_writes(known)) == (case.reads, case.writes)


def test_ties_to_a_collection_that_is_not_there_give_nothing() -> None:
    parents = {name: parent for name, parent in PARENTS.items() if name != "class A"}
    gone = _in_the_small_school(memberships=["class A"], roles=[("class A", "coach")], parents=parents)
    assert access_reasons(gone) == {}


def test_a_missing_class_ends_the_way_up_from_its_group() -> None:
    parents = {name: parent for name, parent in PARENTS.items() if name != "class A"}
    orphan = _in_the_small_school(memberships=["group A1"], parents=parents)
    assert grant_from_facts(orphan).readable == {_id("group A1")}


def test_a_coach_of_the_facility_has_a_group_whose_class_has_not_arrived() -> None:
    parents = {name: parent for name, parent in PARENTS.items() if name != "class A"}
    grant = grant_from_facts(_in_the_small_school(roles=[(FACILITY, "coach")], parents=parents))
    assert _id("group A1") in grant.writable


def test_each_reason_names_the_collection_that_the_tie_is_in() -> None:
    facts = _in_the_small_school(memberships=["group A1"], roles=[("class A", "coach"), (FACILITY, "admin")])
    reasons = access_reasons(facts)
    coach = AccessReason(_id("class A"), "coach")
    admin = AccessReason(_id(FACILITY), "admin")
    member = AccessReason(_id("group A1"), "member")
    assert set(reasons[_id("class A")]) == {coach, admin, member}
    assert set(reasons[_id("group A2")]) == {coach, admin}
    assert set(reasons[_id("class B")]) == {admin}
    assert _id(FACILITY) not in reasons
    assert {reason.tie for reason in (coach, admin)} == {Tie.ROLE}
    assert member.tie is Tie.MEMBERSHIP


@given(known_worlds())
def test_every_grant_has_a_reason_and_every_reason_a_tie_of_the_user(known: Known) -> None:
    facts = _facts(known)
    reasons = access_reasons(facts)
    assert reasons.keys() == grant_from_facts(facts).readable
    for why in reasons.values():
        assert why == tuple(sorted(set(why)))
        assert why
        for reason in why:
            if reason.tie is Tie.MEMBERSHIP:
                assert reason.via in facts.memberships
            else:
                assert (reason.via, reason.kind) in facts.roles
