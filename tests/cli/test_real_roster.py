"""The real roster, end to end: 550 users and 24 classes, as Kolibri 0.19.5 exports them, on processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from course_assignment.facility.user_export import ExportedUser, read_export
from tests.cli.homes import ROOT, Home, Homes
from tests.cli.schools import COURSES_EACH, PASSWORD, course_id

ROSTER = ROOT / "tests" / "data" / "hillside-primary-users.csv"
EVERYBODY = read_export(ROSTER)


@pytest.fixture(scope="module")
def hillside(homes: Homes) -> Home:
    """The hub of the real roster, made by the command, and its groups and courses by one process more."""
    home = homes.new("hillside")
    home.do("init", "Hillside Primary", "--admin", "head", "--password", PASSWORD)
    home.do("import-users", str(ROSTER), "--password", PASSWORD)
    home.prepare("tests.cli.schools:add_groups_and_courses")
    return home


@pytest.fixture
def hub(homes: Homes, hillside: Home) -> Home:
    return homes.copy(hillside, "hub")


@pytest.fixture
def url(hub: Home) -> Iterator[str]:
    with hub.served() as serving:
        yield serving.url


def join(home: Home, url: str, username: str) -> None:
    home.do("join", url, "--user", username, "--password", PASSWORD)


def learners_of(class_name: str) -> list[str]:
    """Those who are in no other class."""
    return sorted(row.username for row in EVERYBODY if row.enrolled_in == (class_name,))


def courses_of(*collections: str) -> set[str]:
    return {f"{collection} {number}" for collection in collections for number in range(COURSES_EACH)}


def user_id(home: Home, username: str) -> str:
    ((found,),) = home.query(f"SELECT id FROM facility_facilityuser WHERE username = '{username}'")
    return str(found)


def test_import_brings_in_every_user_class_membership_and_role_of_the_file(homes: Homes) -> None:
    home = homes.new("hub")
    home.do("init", "Hillside Primary", "--admin", "head", "--password", PASSWORD)

    report = home.ask("import-users", str(ROSTER), "--password", PASSWORD)

    held = {
        (username, classroom, kind)
        for username, classroom, kind in home.query(
            "SELECT u.username, c.name, 'member' FROM facility_membership m "
            "JOIN facility_facilityuser u ON u.id = m.user_id JOIN facility_collection c ON c.id = m.collection_id "
            "UNION SELECT u.username, c.name, r.kind FROM facility_role r "
            "JOIN facility_facilityuser u ON u.id = r.user_id JOIN facility_collection c ON c.id = r.collection_id"
        )
    }
    assert held == {tie for row in EVERYBODY for tie in ties(row)} | {("head", "Hillside Primary", "admin")}
    assert report["users_created"] == len(EVERYBODY) == 550
    assert report["classrooms_created"] == 24


def ties(row: ExportedUser) -> Iterator[tuple[str, str, str]]:
    """What a row ties its user to, as (user, collection, member or kind of role)."""
    yield from ((row.username, classroom, "member") for classroom in row.enrolled_in)
    yield from ((row.username, classroom, "coach") for classroom in row.assigned_to)
    kinds = {"CLASS_COACH": "classroom assignable coach", "FACILITY_COACH": "coach"}
    if row.user_type in kinds:
        yield row.username, "Hillside Primary", kinds[row.user_type]


def test_importing_again_changes_no_row(hub: Home) -> None:
    before = hub.state()

    report = hub.ask("import-users", str(ROSTER))

    assert set(report.values()) == {0}
    assert hub.state() == before


def test_learner_of_a_class_and_a_group_holds_theirs_and_nothing_else(hub: Home, url: str, homes: Homes) -> None:
    tablet = homes.new("tablet")
    # The first by name is in the Reds.
    join(tablet, url, learners_of("Grade 2C")[0])

    held = tablet.ask("show")

    on_hub = hub.ask("show")["assignments"]
    assert {assignment["title"] for assignment in held["assignments"]} == courses_of("Grade 2C", "Grade 2C/Reds")
    assert all(assignment in on_hub for assignment in held["assignments"])
    assert {(each["name"], each["records"]) for each in held["collections"]} == {
        ("Grade 2C", COURSES_EACH),
        ("Grade 2C/Reds", COURSES_EACH),
    }


def test_nothing_of_another_collection_lies_below_what_is_shown(url: str, homes: Homes) -> None:
    tablet = homes.new("tablet")
    # The third by name is in no group.
    join(tablet, url, learners_of("Grade 5A")[2])

    stored = tablet.query("SELECT serialized FROM morango_store WHERE model_name = 'courseassignment'")
    buffered = tablet.query("SELECT model_uuid FROM morango_buffer")

    assert len(stored) == COURSES_EACH
    assert tablet.titles() == courses_of("Grade 5A")
    assert buffered == []


def test_learner_of_a_class_without_courses_holds_none(url: str, homes: Homes) -> None:
    tablet = homes.new("tablet")

    join(tablet, url, learners_of("Grade 8B")[0])

    assert tablet.titles() == set()


def test_offline_edit_reaches_the_hub_and_a_second_coach_with_its_author(homes: Homes, hub: Home) -> None:
    ours, theirs = homes.new("ours"), homes.new("theirs")
    with hub.served() as serving:
        # Both are coaches of Grade 6C, and of other classes that they do not share.
        join(ours, serving.url, "gjuma")
        join(theirs, serving.url, "etraore")
    ours.do("assign", "Grade 6C", course_id("Volcanoes"), "--title", "Volcanoes")
    ours.do("deactivate", "Grade 6C", course_id("Grade 6C 3"))
    ours.do("unassign", "Grade 6C", course_id("Grade 6C 4"))

    with hub.served() as serving:
        ours.do("sync", serving.url)
        theirs.do("sync", serving.url)

    for device in (hub, theirs):
        held = {assignment["title"]: assignment for assignment in device.ask("show")["assignments"]}
        assert held["Volcanoes"]["assigned_by"] == user_id(ours, "gjuma")
        assert held["Grade 6C 3"]["is_active"] is False
        # Whoever edits it, it stays assigned by whom it was assigned by.
        assert held["Grade 6C 3"]["assigned_by"] == user_id(theirs, "etraore")
        assert "Grade 6C 4" not in held
    assert theirs.titles() == courses_of("Grade 6B", "Grade 6B/Reds", "Grade 6B/Blues") | (
        courses_of("Grade 6C", "Grade 6C/Reds", "Grade 6C/Blues") | {"Volcanoes"}
    ) - {"Grade 6C 4"}


def test_roster_commands_work_while_the_hub_serves_and_the_next_sync_has_them(
    homes: Homes, hub: Home, url: str, tmp_path: Path
) -> None:
    learner = learners_of("Grade 1A")[5]
    tablet = homes.new("tablet")
    join(tablet, url, learner)

    hub.do("group", "Grade 1B", "Greens")
    hub.do("enrol", learner, "Grade 1B")
    hub.do("enrol", learner, "Grade 1B/Greens")
    hub.do("assign", "Grade 1B/Greens", course_id("Rivers"), "--title", "Rivers", "--active")
    hub.do("import-users", str(ROSTER))
    tablet.do("sync")

    # The import says again that the learner is of Grade 1A alone, which ends what was said in between.
    assert tablet.titles() == courses_of("Grade 1A")
    hub.do("enrol", learner, "Grade 1B")
    hub.do("enrol", learner, "Grade 1B/Greens")
    tablet.do("sync")
    assert tablet.titles() == courses_of("Grade 1A", "Grade 1B") | {"Rivers"}
