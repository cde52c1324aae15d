"""What a person may get wrong on a hub: one clear line, an exit status, and not a row changed."""

from __future__ import annotations

import pytest

from tests.cli.homes import Home
from tests.cli.schools import course_id

COURSE = course_id("of no collection")
ASSIGNED = course_id("4A 0")
TOO_LONG = "x" * 101

MISTAKES = {
    "unknown user, with the nearest names": (
        ["enrol", "lee", "4A"],
        "there is no user 'lee' on this device; did you mean leo or lea?",
    ),
    "unknown collection, with the nearest names": (
        ["enrol", "lea", "4A/Red"],
        "there is no collection '4A/Red' on this device; did you mean 4A/Reds or 4B/Reds?",
    ),
    "no name at all": (["enrol", "lea", ""], "there is no collection '' on this device"),
    "a name that two collections share": (
        ["enrol", "lea", "Reds"],
        "several collections are called 'Reds'; say which: 4A/Reds or 4B/Reds",
    ),
    "a group without its class": (
        ["enrol", "lia", "4A/Reds"],
        "lia is no member of 4A, the class of Reds",
    ),
    "a new group with one who is not in the class": (
        ["group", "4A", "Greens", "lea", "lia"],
        "lia is no member of 4A, the class of Greens",
    ),
    "a membership of the facility": (
        ["enrol", "lea", "Bergstation"],
        "every user belongs to the facility; there is no membership for it",
    ),
    "a withdrawal of one who is no member": (["withdraw", "lia", "4A"], "'lia' is no member of '4A'"),
    "the end of a role that is not there": (["coach", "lea", "4A", "--remove"], "'lea' is no coach of '4A'"),
    "a group that is there already, in other letters": (
        ["group", "4a", "reds"],
        "4A has a group called 'reds' already",
    ),
    "a group in a group": (
        ["group", "4A/Reds", "Greens"],
        "a learnergroup belongs below classroom, not learnergroup",
    ),
    "a group without a name": (["group", "4A", ""], "name: This field cannot be blank."),
    "a name that is too long": (
        ["group", "4A", TOO_LONG],
        "name: Ensure this value has at most 100 characters (it has 101).",
    ),
    "a name of two lines": (["group", "4A", "a\nb"], "name: 'a\\nb' holds characters that no line of text has"),
    "a course that is none": (
        ["assign", "4A", "volcanoes", "--title", "Volcanoes"],
        "'volcanoes' is no course; expected a UUID of 32 hex digits",
    ),
    "a course for the facility": (
        ["assign", "Bergstation", COURSE, "--title", "Volcanoes"],
        "a course is assigned to a classroom or a group, not to the facility itself",
    ),
    "a course that is assigned already": (
        ["assign", "4A", ASSIGNED, "--title", "Volcanoes"],
        f"course {ASSIGNED} is assigned to collection 4A already",
    ),
    "an assignment that is not there": (
        ["activate", "4A", COURSE],
        f"course {COURSE} is not assigned to '4A' on this device",
    ),
    "a course without a title": (
        ["assign", "4A", COURSE, "--title", ""],
        "title: This field cannot be blank.",
    ),
    "a title that is too long": (
        ["assign", "4A", COURSE, "--title", "x" * 201],
        "title: Ensure this value has at most 200 characters (it has 201).",
    ),
    "an author who may not": (
        ["assign", "4A", COURSE, "--title", "Volcanoes", "--by", "bea"],
        "'bea' is neither coach nor admin of '4A', and cannot assign there",
    ),
    "an author who is nobody": (
        ["unassign", "4A", ASSIGNED, "--by", "nobody"],
        "there is no user 'nobody' on this device",
    ),
    "a facility on a hub": (
        ["init", "Talstation", "--admin", "head", "--password", "chalk"],
        "is a hub already; give another --home",
    ),
    "a hub that is to join": (
        ["join", "http://127.0.0.1:9", "--user", "lea", "--password", "chalk"],
        "is a hub already; give another --home",
    ),
    "a sync with no hub known": (
        ["sync"],
        "this device knows no hub yet; give its address: sync http://HOST:PORT",
    ),
    "an address that is none": (["sync", "ftp://hub"], "that is no address of a hub: expected http://HOST:PORT"),
    "a file that is not there": (
        ["import-users", "nowhere.csv"],
        "nowhere.csv cannot be read: No such file or directory",
    ),
    "a folder instead of a file": (["import-users", "/"], "/ cannot be read: Is a directory"),
    "a host that is none": (
        ["serve", "--host", "nowhere.invalid", "--port", "0"],
        "cannot serve at nowhere.invalid:0: ",
    ),
    "a user who does not sync here": (["leave", "lea"], "this device does not sync for 'lea'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_line_says_what_was_wrong_and_nothing_changes(small_school: Home, mistake: str) -> None:
    words, line = MISTAKES[mistake]
    before = small_school.state()

    outcome = small_school.run(*words)

    assert line in outcome.refusal
    assert outcome.status == 1
    assert small_school.state() == before


@pytest.mark.parametrize("command", ["assign", "activate"])
def test_person_does_not_get_over_the_limit(hub: Home, command: str) -> None:
    # 4B has twenty active courses, which is the limit.
    hub.do("assign", "4B", COURSE, "--title", "Volcanoes")
    before = hub.state()

    words = ["assign", "4B", course_id("one more"), "--title", "Rivers", "--active"]
    outcome = hub.run(*(words if command == "assign" else ["activate", "4B", COURSE]))

    assert "has 20 active assignments, and 20 is the limit; deactivate one first" in outcome.refusal
    assert hub.state() == before


MISUSES = {
    "a command that there is not": (["frob"], "No such command 'frob'."),
    "an option that there is not": (["show", "--frob"], "No such option '--frob'."),
    "an argument too few": (["assign", "4A"], "Missing argument 'COURSE'."),
    "a port that is none": (["serve", "--port", "65536"], "Invalid value for '--port'"),
    "a channel that is none": (
        ["assign", "4A", COURSE, "--title", "x", "--channel", "zz"],
        "'zz' is no id; expected 32 hex digits",
    ),
    "a channel version that no database holds": (
        ["assign", "4A", COURSE, "--title", "x", "--channel-version", str(2**31)],
        "2147483648 is not in the range",
    ),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_misuse_is_told_in_one_line_that_names_the_help(small_school: Home, misuse: str) -> None:
    words, line = MISUSES[misuse]

    outcome = small_school.run(*words)

    assert line in outcome.refusal
    assert outcome.refusal.endswith("--help")
    assert outcome.status == 2
