"""``--json``: the form that programs rely on, and not a word beside it on standard output."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cli.homes import Home
from tests.cli.processes import Serving
from tests.cli.schools import PASSWORD, course_id

IS_ID = re.compile("[0-9a-f]{32}").fullmatch


def test_show_on_a_hub(small_school: Home) -> None:
    shown = small_school.ask("show")

    assert list(shown) == ["role", "dataset_id", "users", "collections", "assignments", "quarantine"]
    assert shown["role"] == "hub"
    assert IS_ID(shown["dataset_id"])
    assert shown["users"] == ["ana", "bea", "head", "lea", "leo", "lia", "lou"]
    assert [(each["name"], each["kind"], each["records"]) for each in shown["collections"]] == [
        ("4A", "classroom", 3),
        ("4A/Reds", "learnergroup", 1),
        ("4B", "classroom", 20),
        ("4B/Reds", "learnergroup", 0),
    ]
    assert {tuple(each) for each in shown["collections"]} == {("id", "name", "kind", "records")}
    collections = {each["name"]: each["id"] for each in shown["collections"]}
    (last,) = (each for each in shown["assignments"] if each["title"] == "4A 2")
    assert last == {
        "id": last["id"],
        "course": course_id("4A 2"),
        "title": "4A 2",
        "collection_id": collections["4A"],
        "assigned_by": small_school.query("SELECT id FROM facility_facilityuser WHERE username = 'ana'")[0][0],
        "is_active": False,
    }
    assert IS_ID(last["id"])


def test_show_on_a_member_device(joined: Home) -> None:
    shown = joined.ask("show")

    assert (shown["role"], shown["users"]) == ("member", ["lea"])
    assert [each["name"] for each in shown["collections"]] == ["4A", "4A/Reds"]


def is_user_sync(value: Any, user: str | None) -> bool:
    numbers = ("pulled", "pushed", "requests", "bytes_received", "bytes_sent")
    assert list(value) == ["user", "pulled", "pushed", "collections", *numbers[2:], "seconds"]
    assert all(type(value[name]) is int for name in numbers)
    assert type(value["seconds"]) is float
    return bool(value["user"] == user)


def test_sync(joined: Home, served: Serving) -> None:
    synced = joined.ask("sync", served.url)

    assert list(synced) == ["hub", "users", "released", "restored", "quarantine", "undelivered"]
    assert synced["hub"] == served.url
    (user,) = synced["users"]
    assert is_user_sync(user, "lea")
    assert user["collections"] == ["4A", "4A/Reds"]
    assert user["pulled"] == user["pushed"] == 0


def test_join_of_a_whole_facility_has_no_user(tablet: Home, served: Serving) -> None:
    synced = tablet.ask("join", served.url, "--user", "head", "--password", PASSWORD, "--full-facility")

    assert is_user_sync(synced["users"][0], None)
    assert tablet.ask("show")["role"] == "hub"


def test_sync_that_fails_prints_no_json(joined: Home) -> None:
    # Where its hub was, nothing is any more.
    outcome = joined.run("sync", "--json")

    assert "the connection failed" in outcome.refusal


def test_explain(small_school: Home) -> None:
    explained = small_school.ask("explain", "lea")

    assert {tuple(each) for each in explained} == {("collection", "name", "read", "write", "because")}
    assert [(each["name"], each["read"], each["write"]) for each in explained] == [
        ("4A", True, False),
        ("4A/Reds", True, False),
        ("4B", False, False),
        ("4B/Reds", False, False),
    ]
    assert explained[1]["because"] == ["lea is a member of 4A/Reds"]
    assert all(IS_ID(each["collection"]) and each["because"] for each in explained)


def test_explain_one_collection(small_school: Home) -> None:
    (explained,) = small_school.ask("explain", "ANA", "4a/reds")

    assert explained["name"] == "4A/Reds"
    assert explained["write"] is True
    assert explained["because"] == ["ana is coach of 4A, which is above 4A/Reds"]


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (["group", "4B", "Greens", "lou"], ["collection", "name", "members"]),
        (["enrol", "lou", "4B/Reds"], ["user", "collection", "tie", "ended", "changed"]),
        (["withdraw", "lou", "4B"], ["user", "collection", "tie", "ended", "changed"]),
        (["coach", "lou", "4B"], ["user", "collection", "tie", "ended", "changed"]),
        (["unassign", "4B", course_id("4B 1")], ["course", "collection_id"]),
        (["audit"], []),
    ],
    ids=lambda value: value[0] if value else "",
)
def test_every_command_that_prints_a_result_prints_it_as_json(hub: Home, words: list[str], keys: list[str]) -> None:
    assert list(hub.ask(*words)) == keys
