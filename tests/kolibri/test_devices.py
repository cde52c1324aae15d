"""Real Kolibri servers and devices, as processes of their own, synced by ``kolibri manage sync``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.kolibri.conftest import Hub, NewHome
from tests.kolibri.homes import CommandFailed, Home
from tests.kolibri.proxy import Answer, Cut, Proxy


def _titles(device: Home) -> set[str]:
    held: dict[str, Any] = device.act(["held"])
    return set(held["assignments"])


def _leaving(hub: Home, username: str, collection: str) -> Callable[[str, str], None]:
    """Ends a membership on the hub when buffered records are first asked for."""
    left = False

    def leave(method: str, path: str) -> None:
        nonlocal left
        if not left and method == "GET" and "/buffers/" in path:
            left = True
            hub.act(["withdraw", username, collection])

    return leave


def _reads(proxy: Proxy) -> list[Answer]:
    return [answer for answer in proxy.answers if answer.method == "GET" and "/buffers/" in answer.path]


def test_learner_of_a_class_gets_its_assignments_and_its_lessons_and_nothing_else(hub: Hub, tablet: Home) -> None:
    hub.home.act(
        ["add_class", "1a", "red"],
        ["add_class", "1b"],
        ["add_coach", "carol", "1a"],
        ["add_learner", "ada", "1a"],
        ["assign", "1a", "for the class", "carol"],
        ["assign", "1a/red", "for the group"],
        ["assign", "1b", "for another class"],
        ["add_lesson", "1a", "a lesson"],
        ["add_lesson", "1b", "another's lesson"],
    )

    hub.sync(tablet, "ada")

    held = tablet.act(["held"])
    del held["rows"]  # ids, which differ from run to run
    assert held == {
        "assignments": {"for the class": hub.home.act(["user_id", "carol"])},
        "lessons": ["a lesson"],
        "stored": ["1a"],
        "undelivered": [],
    }


def test_learner_of_a_class_and_a_group_gets_the_assignments_of_both(hub: Hub, tablet: Home) -> None:
    hub.home.act(
        ["add_class", "2a", "red", "blue"],
        ["add_learner", "ben", "2a", "2a/red"],
        ["assign", "2a", "for the class"],
        ["assign", "2a/red", "for red"],
        ["assign", "2a/blue", "for blue"],
    )

    hub.sync(tablet, "ben")

    assert _titles(tablet) == {"for the class", "for red"}


def test_work_of_a_learner_reaches_the_hub_through_the_verification(hub: Hub, tablet: Home) -> None:
    hub.home.act(["add_class", "11a"], ["add_learner", "mia", "11a"])
    hub.sync(tablet, "mia")

    tablet.act(["study", "mia"])
    hub.sync(tablet, "mia")

    work = tablet.act(["work_of", "mia"])
    assert {"attemptlog", "bookmark", "contentsummarylog", "learnerdevicestatus", "usersessionlog"} <= set(work)
    assert hub.home.act(["work_of", "mia"]) == work


def test_device_of_two_learners_holds_what_each_of_them_gets(hub: Hub, tablet: Home) -> None:
    hub.home.act(
        *(["add_class", name] for name in ("3a", "3b", "3c")),
        ["add_learner", "dora", "3a"],
        ["add_learner", "emil", "3b"],
        ["assign", "3a", "dora's"],
        ["assign", "3b", "emil's"],
        ["assign", "3c", "nobody's"],
    )

    hub.sync(tablet, "dora")
    hub.sync(tablet, "emil")

    assert _titles(tablet) == {"dora's", "emil's"}


def test_coach_edits_and_assigns_offline_and_the_hub_has_both_with_their_authors(hub: Hub, tablet: Home) -> None:
    hub.home.act(
        ["add_class", "4a", "red"],
        ["add_coach", "fred", "4a"],
        ["add_coach", "gina", "4a"],
        ["assign", "4a", "as gina wrote it", "gina"],
    )
    hub.sync(tablet, "fred")

    tablet.act(
        ["rename", "as gina wrote it", "as fred changed it"],
        ["assign", "4a/red", "made offline", "fred"],
        ["start_course", "4a", "begun offline", "fred"],
    )
    hub.sync(tablet, "fred")

    held = hub.home.act(["held"])
    assert held["assignments"]["as fred changed it"] == "gina"
    assert held["assignments"]["made offline"] == "fred"
    assert "as gina wrote it" not in held["assignments"]
    # Kolibri's own records of a coach pass the verification as well.
    assert hub.home.act(["work_of", "fred"]) == {
        "coursesession": 1,
        "coursesessionassignment": 1,
        "unittestassignment": 1,
    }


def test_learner_who_leaves_loses_the_assignments_and_who_returns_has_all_of_them(hub: Hub, tablet: Home) -> None:
    hub.home.act(
        ["add_class", "5a"],
        ["add_class", "5b"],
        ["add_learner", "hugo", "5a"],
        ["assign", "5a", "old one"],
        ["assign", "5a", "old two"],
        ["assign", "5b", "new one"],
    )
    hub.sync(tablet, "hugo")
    assert _titles(tablet) == {"old one", "old two"}

    hub.home.act(["withdraw", "hugo", "5a"], ["enrol", "hugo", "5b"])
    hub.sync(tablet, "hugo")
    after_leaving = tablet.act(["held"])
    hub.home.act(["enrol", "hugo", "5a"])
    hub.sync(tablet, "hugo")

    assert set(after_leaving["assignments"]) == {"new one"}
    assert after_leaving["stored"] == ["5b"]
    assert _titles(tablet) == {"old one", "old two", "new one"}
    assert {"old one", "old two"} <= _titles(hub.home)


def test_interrupted_sync_is_resumed_with_its_wide_filter(hub: Hub, tablet: Home) -> None:
    hub.home.act(
        ["add_class", "6a"],
        ["add_learner", "iris", "6a"],
        *(["assign", "6a", f"number {n}"] for n in range(3)),
    )
    cutting = True

    def cut(method: str, path: str) -> None:
        if cutting and method == "GET" and "/buffers/" in path:
            raise Cut

    with Proxy(hub.url, cut) as proxy:
        with pytest.raises(CommandFailed):
            hub.sync(tablet, "iris", proxy.url)
        assert _titles(tablet) == set()
        session = tablet.act(["open_session"])
        assert hub.home.act(["partition", "6a"]) in session["partitions"]

        cutting = False
        tablet.kolibri(
            *("manage", "resumesync", "--id", session["id"], "--baseurl", proxy.url, "--noninteractive"),
            *("--user", hub.home.act(["user_id", "iris"])),
        )

    assert _titles(tablet) == {"number 0", "number 1", "number 2"}


def test_learner_who_left_after_the_records_were_queued_is_served_none(hub: Hub, tablet: Home) -> None:
    hub.home.act(
        ["add_class", "7a"],
        ["add_learner", "jan", "7a"],
        ["assign", "7a", "not for jan any more"],
    )
    with Proxy(hub.url, _leaving(hub.home, "jan", "7a")) as proxy, pytest.raises(CommandFailed):
        hub.sync(tablet, "jan", proxy.url)

    assert {answer.status for answer in _reads(proxy)} == {403}
    assert tablet.act(["held"])["stored"] == []


def test_hub_with_our_addresses_says_why_it_serves_none(new_home: NewHome, hub_home: Home, tablet: Home) -> None:
    hub = new_home(hub_home, "hub", DJANGO_SETTINGS_MODULE="course_assignment.kolibri.hub_settings")
    hub.act(["add_class", "13a"], ["add_learner", "nora", "13a"], ["assign", "13a", "not for nora any more"])
    facility_id, nora = hub.act(["facility"])["id"], hub.act(["user_id", "nora"])

    with Proxy(hub.start(), _leaving(hub, "nora", "13a")) as proxy, pytest.raises(CommandFailed):
        tablet.sync(proxy.url, facility_id, nora, "nora")

    assert {error["id"] for answer in _reads(proxy) for error in json.loads(answer.content)} == {"GRANT_SHRUNK"}


def test_two_hubs_sync_the_whole_facility_both_ways(hub: Hub, new_home: NewHome, migrated_home: Home) -> None:
    hub.home.act(["add_class", "8a"], ["assign", "8a", "made on the first hub", "head"])
    second = new_home(migrated_home, "second-hub")

    second.sync_facility(hub.url, hub.facility_id, "head")
    assert second.act(["held"])["rows"] == hub.home.act(["held"])["rows"]
    second.act(["rename", "made on the first hub", "changed on the second hub"])
    second.sync_facility(hub.url, hub.facility_id, "head")

    assert "changed on the second hub" in _titles(hub.home)


def test_kolibri_without_the_plugin_syncs_a_learner_with_a_hub_that_has_it(
    hub: Hub, new_home: NewHome, stock_home: Home
) -> None:
    hub.home.act(
        ["add_class", "9a"],
        ["add_learner", "kim", "9a"],
        ["assign", "9a", "unknown to stock"],
        ["add_lesson", "9a", "known to stock"],
    )
    stock = new_home(stock_home, "stock")

    hub.sync(stock, "kim")

    assert stock.act(["lessons"]) == ["known to stock"]


def test_device_with_the_plugin_keeps_everything_when_it_syncs_with_a_hub_that_lacks_it(
    new_home: NewHome, hub_home: Home, tablet: Home
) -> None:
    hub = new_home(hub_home, "plain-hub")
    hub.act(
        ["add_class", "10a"],
        ["add_learner", "lena", "10a"],
        ["assign", "10a", "from the plugin"],
    )
    facility_id, lena = hub.act(["facility"])["id"], hub.act(["user_id", "lena"])
    tablet.sync(hub.start(), facility_id, lena, "lena")
    before = tablet.act(["held"])
    hub.stop()

    hub.act(["add_lesson", "10a", "from stock"])
    hub.plugin = False
    tablet.sync(hub.start(), facility_id, lena, "lena")

    assert set(before["assignments"]) == {"from the plugin"}
    assert tablet.act(["held"]) == {**before, "lessons": ["from stock"]}


def test_plugin_is_added_to_a_device_that_has_data(new_home: NewHome, stock_home: Home) -> None:
    home = new_home(stock_home, "older")
    home.act(["make_facility", "Hillside"], ["add_class", "12a"], ["add_lesson", "12a", "from before"])
    home.close()

    home.plugin = True
    home.kolibri("manage", "migrate", "--noinput")
    home.act(["assign", "12a", "first"])

    held = home.act(["held"])
    assert (set(held["assignments"]), held["lessons"]) == ({"first"}, ["from before"])
    home.kolibri("manage", "makemigrations", "course_assignment.kolibri", "--check", "--dry-run")


@pytest.mark.parametrize(("option", "limit"), [("7", 7), ("-1", None)])
def test_limit_of_active_assignments_is_an_option_of_kolibri(
    new_home: NewHome, migrated_home: Home, option: str, limit: int | None
) -> None:
    home = new_home(migrated_home, "limited", KOLIBRI_MAX_ACTIVE_COURSE_ASSIGNMENTS=option)
    assert home.act(["limit"]) == limit
