"""Each rule that a record must keep, broken alone. Pure."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from morango_collection_sync.verification.records import (
    Known,
    ModelRules,
    Record,
    Scope,
    Sender,
    check_envelope,
    check_ids,
    check_known,
    check_place,
)
from morango_collection_sync.verification.rules import Rule

DATASET, ME, IT = "a" * 32, "b" * 32, "c" * 32
OWN = f"{DATASET}:user-rw:{ME}"
LOG = ModelRules("log", False, True, frozenset({"id", "dataset_id", "user_id"}), frozenset({"dataset_id", "user_id"}))
SCOPED = replace(LOG, name="scoped", collection_scoped=True)
NODE = replace(LOG, name="node", self_reference_field="parent_id", reference_fields=frozenset({"parent_id"}))
SCOPE = Scope(DATASET, "profile", (OWN,), (OWN,))
GOOD = Record(IT, "profile", "log", OWN, "source", json.dumps({"id": IT}))
CONTENT = {"id": IT, "dataset_id": DATASET, "user_id": ME}


def test_good_record_keeps_all_rules() -> None:
    assert check_envelope(GOOD, SCOPE) is None
    assert check_ids(GOOD, CONTENT, LOG, SCOPE, Sender.MEMBER) is None
    assert check_known(GOOD, LOG, [Known("log", OWN)]) is None
    assert check_place(GOOD, OWN, None, LOG, SCOPE, Sender.MEMBER) is None


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"profile": "other"}, Rule.PROFILE),
        ({"partition": OWN + "'"}, Rule.PARTITION),
        ({"partition": OWN + "\n"}, Rule.PARTITION),
        ({"partition": OWN + "x"}, Rule.FILTER),
        ({"partition": DATASET}, Rule.FILTER),
        ({"hard_deleted": True}, Rule.HARD_DELETION),
        ({"conflicting": "no JSON"}, Rule.CONFLICTS),
        ({"conflicting": json.dumps({"id": ME})}, Rule.CONFLICTS),
    ],
)
def test_envelope_that_breaks_a_rule(changes: dict[str, object], rule: Rule) -> None:
    assert check_envelope(replace(GOOD, **changes), SCOPE) is rule  # type: ignore[arg-type]


@pytest.mark.parametrize("conflicting", ["", "{}\n", json.dumps({"id": IT}) + "\n\n" + json.dumps({"id": IT}) + "\n"])
def test_conflicting_versions_as_morango_keeps_them_break_no_rule(conflicting: str) -> None:
    assert check_envelope(replace(GOOD, conflicting=conflicting), SCOPE) is None


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ({**CONTENT, "id": ME}, Rule.CONTENT_ID),
        ({"dataset_id": DATASET}, Rule.CONTENT_ID),
        ({**CONTENT, "dataset_id": OWN}, Rule.DATASET),
        ({"id": IT}, Rule.DATASET),
        ({**CONTENT, "user_id": ME.upper()}, Rule.REFERENCE),
        ({**CONTENT, "user_id": [ME]}, Rule.REFERENCE),
        ({**CONTENT, "user_id": "{" + ME + "}"}, Rule.REFERENCE),
    ],
)
def test_content_whose_ids_break_a_rule(content: dict[str, object], rule: Rule) -> None:
    assert check_ids(GOOD, content, LOG, SCOPE, Sender.MEMBER) is rule


def test_reference_to_its_own_model_is_the_declared_one() -> None:
    content = {"id": IT, "dataset_id": DATASET, "parent_id": ME}

    assert check_ids(replace(GOOD, self_reference=ME), content, NODE, SCOPE, Sender.MEMBER) is None
    assert check_ids(GOOD, content, NODE, SCOPE, Sender.MEMBER) is Rule.SELF_REFERENCE


def test_hub_may_keep_the_former_parent_declared() -> None:
    """Morango never changes it again."""
    content = {"id": IT, "dataset_id": DATASET, "parent_id": ME}

    assert check_ids(replace(GOOD, self_reference="d" * 32), content, NODE, SCOPE, Sender.HUB) is None


@pytest.mark.parametrize("known", [Known("role", OWN), Known("log", DATASET)])
def test_record_does_not_take_the_place_of_another(known: Known) -> None:
    assert check_known(GOOD, LOG, [known]) is Rule.COLLISION


def test_deletion_without_content_needs_an_id_that_is_a_hash_or_a_record_that_is_known() -> None:
    unhashed = replace(LOG, hashed_ids=False)
    deletion = replace(GOOD, content="", deleted=True)

    assert check_known(deletion, LOG, []) is None
    assert check_known(deletion, unhashed, []) is Rule.DELETION
    assert check_known(deletion, unhashed, [Known("log", OWN)]) is None


@pytest.mark.parametrize("sender", Sender)
def test_collection_scoped_record_is_exactly_where_its_content_says(sender: Sender) -> None:
    assert check_place(GOOD, OWN, IT, SCOPED, SCOPE, sender) is None
    assert check_place(GOOD, OWN + ":below", IT, SCOPED, SCOPE, sender) is Rule.ENVELOPE
    assert check_place(GOOD, OWN, ME, SCOPED, SCOPE, sender) is Rule.ENVELOPE


@pytest.mark.parametrize(
    ("partition", "rule"),
    [
        (OWN, None),
        (OWN + ":moved-below", None),
        (f"{DATASET}:user-ro:{ME}", Rule.CONTENT_OUTSIDE),
        (OWN + "x", Rule.CONTENT_OUTSIDE),
        (OWN + ":'", Rule.CONTENT_OUTSIDE),
    ],
)
def test_content_of_a_member_lies_inside_what_it_may_write(partition: str, rule: Rule | None) -> None:
    assert check_place(GOOD, partition, None, LOG, SCOPE, Sender.MEMBER) is rule


def test_content_of_a_hub_may_lie_anywhere() -> None:
    assert check_place(GOOD, f"{DATASET}:user-ro:{ME}", None, LOG, SCOPE, Sender.HUB) is None
