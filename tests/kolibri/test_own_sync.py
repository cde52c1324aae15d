"""``kolibri manage collectionsync sync``, ``leave`` and ``quarantine`` between real Kolibri devices."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kolibri.conftest import Hub
from tests.kolibri.homes import CommandFailed, Home
from tests.kolibri.proxy import Cut, Proxy


def _titles(device: Home) -> set[str]:
    return set(device.act(["held"])["assignments"])


def _sync(device: Home, *arguments: str) -> dict[str, Any]:
    """What a sync of the device says; each user's part by the user's name."""
    said: dict[str, Any] = device.act(["command", "sync", *arguments])
    return {**said, "users": {user.pop("user"): user for user in said["users"]}}


def _coached(hub: Hub, tablet: Home, coach: str, classroom: str) -> None:
    """The device becomes that of this coach of a class, in which the hub has the assignment "of" its name."""
    hub.home.act(["add_class", classroom], ["add_coach", coach, classroom], ["assign", classroom, f"of {classroom}"])
    hub.join(tablet, coach)


def test_sync_moves_both_ways_for_every_user_and_says_so(hub: Hub, tablet: Home) -> None:
    hub.home.act(
        ["add_class", "15a"],
        ["add_class", "15b"],
        ["add_coach", "olga", "15a"],
        ["add_learner", "paul", "15b"],
        ["assign", "15a", "olga's"],
    )
    hub.join(tablet, "olga")
    hub.join(tablet, "paul")
    tablet.act(["rename", "olga's", "renamed by olga"], ["assign", "15a", "made by olga", "olga"])
    hub.home.act(["assign", "15b", "paul's"], ["withdraw", "paul", "15b"], ["enrol", "paul", "15b"])

    before = tablet.act(["last_synced", "olga"])

    # As an administrator calls it: a process of its own, with what Kolibri logs ahead of it.
    printed = tablet.kolibri("manage", "collectionsync", "sync", "--json")
    said = json.loads(printed[printed.index('{\n  "hub"') :])

    assert list(said) == ["hub", "users", "released", "restored", "quarantine", "undelivered"]
    assert said["hub"] == hub.url
    users = {user["user"]: user for user in said["users"]}
    assert {name: user["collections"] for name, user in users.items()} == {"olga": ["15a"], "paul": ["15b"]}
    assert users["olga"]["pushed"] == 2
    assert users["paul"]["pulled"] >= 1
    assert said["undelivered"] == []
    # Kolibri's own hooks have run for what our driver has done.
    assert tablet.act(["last_synced", "olga"]) > before
    assert {"renamed by olga", "made by olga"} <= _titles(hub.home)
    assert _titles(tablet) == {"renamed by olga", "made by olga", "paul's"}


def test_interrupted_sync_goes_on_where_it_stopped(hub: Hub, tablet: Home) -> None:
    hub.home.act(["add_class", "16a"], ["add_learner", "quin", "16a"])
    hub.join(tablet, "quin")
    hub.home.act(["assign", "16a", "late"])
    cutting = True

    def cut(method: str, path: str) -> None:
        if cutting and method == "GET" and "/buffers/" in path:
            raise Cut

    with Proxy(hub.url, cut) as proxy:
        with pytest.raises(CommandFailed, match="sync again to go on"):
            _sync(tablet, proxy.url)
        cutting = False
        began = len(proxy.answers)
        _sync(tablet, proxy.url)

    assert _titles(tablet) == {"late"}
    assert not any(answer.method == "POST" and "/syncsessions/" in answer.path for answer in proxy.answers[began:])


@pytest.mark.parametrize("how", ["leave", "remove_user"])
def test_device_lets_go_of_what_only_a_user_could_read_who_leaves_it(hub: Hub, tablet: Home, how: str) -> None:
    rita, sven = f"rita{how}", f"sven{how}"
    both, only = f"17a {how}", f"17b {how}"
    hub.home.act(
        ["add_class", both],
        ["add_class", only],
        ["add_coach", rita, both, only],
        ["add_learner", sven, both],
        ["assign", both, "of both"],
        ["assign", only, "of one"],
    )
    hub.join(tablet, rita)
    hub.join(tablet, sven)
    tablet.act(["rename", "of one", "typed by rita"])

    if how == "leave":
        assert list(tablet.act(["command", "leave", rita])["released"].values()) == [1]
    else:
        tablet.act(["remove_user", rita])

    held = tablet.act(["held"])
    assert (set(held["assignments"]), held["stored"]) == ({"of both"}, [both])
    (edit,) = tablet.act(["command", "quarantine", "list"])
    assert edit["record"]["title"] == "typed by rita"
    assert list(_sync(tablet)["users"]) == [sven]
    assert tablet.act(["command", "audit"]) == []


def test_edit_of_a_coach_who_was_dismissed_waits_and_returns_with_the_role(hub: Hub, tablet: Home) -> None:
    _coached(hub, tablet, "rosa", "14a")
    tablet.act(["rename", "of 14a", "edited by rosa"])
    hub.home.act(["uncoach", "rosa", "14a"])

    dismissed = _sync(tablet)
    hub.home.act(["coach", "rosa", "14a"])
    returned = _sync(tablet)

    assert (dismissed["quarantine"], list(dismissed["released"].values())) == (1, [1])
    assert (returned["quarantine"], returned["restored"]) == (0, 1)
    assert "edited by rosa" in _titles(hub.home)
    assert _titles(tablet) == {"edited by rosa"}


def test_edit_of_a_record_that_has_changed_meanwhile_waits_for_a_person(hub: Hub, tablet: Home) -> None:
    _coached(hub, tablet, "tom", "14b")
    tablet.act(["rename", "of 14b", "edited by tom"])
    hub.home.act(["uncoach", "tom", "14b"])
    _sync(tablet)
    hub.home.act(["rename", "of 14b", "changed meanwhile"], ["coach", "tom", "14b"])

    waiting = _sync(tablet)
    (edit,) = tablet.act(["command", "quarantine", "list"])
    tablet.act(["command", "quarantine", "restore", edit["id"][:8]])
    _sync(tablet)

    assert (waiting["quarantine"], waiting["restored"]) == (1, 0)
    assert (edit["record"]["title"], edit["current"]["title"]) == ("edited by tom", "changed meanwhile")
    assert edit["writable_by"] == ["tom"]
    assert "edited by tom" in _titles(hub.home)
    assert tablet.act(["command", "quarantine", "list"]) == []
