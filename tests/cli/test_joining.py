"""``join`` and ``sync``, and what may be wrong with a hub, a name or a password: one clear line, nothing changed."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.cli import peers
from tests.cli.homes import Home, Homes
from tests.cli.processes import Serving
from tests.cli.schools import PASSWORD, course_id

NOT_HUBS = {
    "nothing": (peers.nothing, "the connection failed"),
    "another server": (peers.answering, "a server is there, but it does not sync"),
    "no HTTP": (peers.speaking, "the connection failed"),
}


@pytest.mark.parametrize("kind", NOT_HUBS)
def test_join_with_what_is_no_hub_makes_no_device(tablet: Home, kind: str) -> None:
    peer, reason = NOT_HUBS[kind]
    with peer() as url:
        outcome = tablet.run("join", url, "--user", "lea", "--password", "geheim")

    assert outcome.refusal == f"no hub answers at {url}: {reason}"
    assert not tablet.is_device


@pytest.mark.parametrize("username", ["lea", "nobody"])
def test_hub_tells_a_wrong_password_and_an_unknown_user_alike(tablet: Home, served: Serving, username: str) -> None:
    outcome = tablet.run("join", served.url, "--user", username, "--password", "geheim")

    assert outcome.refusal == f"the hub does not accept this password for user '{username}'"
    assert not tablet.is_device


def test_password_stands_in_no_line_of_the_device_or_the_hub(tablet: Home, serving: Serving) -> None:
    outcome = tablet.run("join", serving.url, "--user", "lea", "--password", "geheim-пароль")

    assert "geheim" not in outcome.stderr
    serving.stop(signal.SIGTERM)
    assert "geheim" not in serving.log.read_text()


def test_password_that_is_not_given_where_nobody_can_be_asked_is_told(tablet: Home, served: Serving) -> None:
    outcome = tablet.run("join", served.url, "--user", "lea")

    assert outcome.refusal == "no password for 'lea': give --password, or set COLLECTION_SYNC_PASSWORD"


def test_variable_holds_the_password(tablet: Home, served: Serving) -> None:
    outcome = tablet.run(
        "join", served.url, "--user", "lea", "--json", variables={"COLLECTION_SYNC_PASSWORD": PASSWORD}
    )

    assert outcome.json()["users"][0]["user"] == "lea"


def test_name_and_password_outside_of_latin_1_sign_in(homes: Homes, tablet: Home) -> None:
    hub = homes.new("hub")
    hub.do("init", "Школа", "--admin", "नेहा", "--password", "пароль-密碼")
    with hub.served() as serving:
        tablet.do("join", serving.url, "--user", "नेहा", "--password", "пароль-密碼")

    assert tablet.is_device


def test_learner_cannot_make_a_second_hub(tablet: Home, served: Serving) -> None:
    outcome = tablet.run("join", served.url, "--user", "lea", "--password", PASSWORD, "--full-facility")

    assert outcome.refusal == "'lea' is no admin of the facility, who alone may make a second hub of it"
    assert not tablet.is_device


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["serve", "--port", "0"], "this is a member device: answering sync sessions is done on a hub"),
        (["group", "4A", "Greens"], "this is a member device: making a group is done on a hub"),
        (["enrol", "lea", "4B"], "this is a member device: changing memberships and roles is done on a hub"),
        (["import-users", "users.csv"], "this is a member device: importing users is done on a hub"),
        (["init", "B", "--admin", "head", "--password", "x"], "is a member device already; give another --home"),
        (
            ["join", "http://127.0.0.1:9", "--user", "head", "--password", "x", "--full-facility"],
            "is a member device already; give another --home",
        ),
        (
            ["assign", "4A", course_id("Volcanoes"), "--title", "Volcanoes"],
            "'lea' is neither coach nor admin of '4A', and cannot assign there",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_member_device_of_a_learner_refuses_what_is_not_its_own(joined: Home, words: list[str], line: str) -> None:
    before = joined.state()

    assert line in joined.run(*words).refusal
    assert joined.state() == before


def test_hub_of_another_facility_is_told_by_sync_and_by_join(homes: Homes, joined: Home) -> None:
    stranger = homes.new("stranger")
    stranger.do("init", "Talstation", "--admin", "lea", "--password", PASSWORD)
    before = joined.state()

    with stranger.served() as other:
        for words in (["sync", other.url], ["join", other.url, "--user", "lea", "--password", PASSWORD]):
            assert f"the hub at {other.url} has another facility" in joined.run(*words).refusal

    assert joined.state() == before


def test_hub_that_syncs_with_itself_is_told(serving: Serving, hub: Home) -> None:
    refusal = hub.run("sync", serving.url).refusal

    assert refusal == f"what answers at {serving.url} is this device itself; give the address of another one"


def test_hub_that_is_gone_is_told_and_the_device_keeps_what_it_has(joined: Home) -> None:
    before = joined.state()

    assert "the connection failed" in joined.run("sync").refusal
    assert joined.state() == before


def test_second_sync_on_a_home_is_refused_while_one_runs(joined: Home) -> None:
    with peers.listening() as listener:
        first = subprocess.Popen(
            joined.command("sync", listener.url),
            env=joined.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        listener.wait_for_a_connection()

        refusal = joined.run("sync").refusal

        listener.close()
        first.wait(timeout=60)
    assert refusal == f"another process uses {joined.path} (sync); wait until it has ended, or give another --home"


def test_device_of_two_users_asks_who_is_at_work(joined: Home, served: Serving) -> None:
    joined.do("join", served.url, "--user", "ana", "--password", PASSWORD)
    words = ["assign", "4A", course_id("Volcanoes"), "--title", "Volcanoes"]
    before = joined.state()

    assert joined.run(*words).refusal == "this device has several users; say who does it: --by ana or lea"
    assert joined.state() == before
    assert joined.ask(*words, "--by", "ana")["assigned_by"] is not None


def test_joining_again_makes_no_second_certificate(joined: Home, served: Serving) -> None:
    certificates = "SELECT id FROM morango_certificate"
    held = joined.query(certificates)

    joined.do("join", served.url, "--user", "LEA", "--password", PASSWORD)

    assert joined.query(certificates) == held
