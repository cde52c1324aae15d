"""Homes and databases that are not what a command needs: one clear line, and nothing left changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.homes import FileHome, Home
from tests.cli.processes import PROGRAM
from tests.cli.schools import PASSWORD

INIT = ("init", "Bergstation", "--admin", "head", "--password", PASSWORD)


@pytest.mark.parametrize(
    "words",
    [
        ["show"],
        ["sync"],
        ["quarantine", "list"],
        ["audit"],
    ],
    ids=lambda words: words[0],
)
def test_command_on_an_empty_home_says_how_to_begin_and_makes_nothing(tablet: Home, words: list[str]) -> None:
    outcome = tablet.run(*words)

    assert outcome.refusal == f"{tablet.path} is no device yet: 'init' makes it a hub, 'join' a member device of one"
    assert not tablet.path.exists()


def test_home_that_is_a_file_is_refused(tablet: Home) -> None:
    tablet.path.write_text("not a folder")

    assert tablet.run(*INIT).refusal == f"{tablet.path} cannot be used as a home: File exists"


def test_home_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    home = FileHome(tmp_path / "file" / "home")

    assert home.run(*INIT).refusal == f"{home.path} cannot be used as a home: Not a directory"


def test_home_that_is_an_empty_word_is_not_the_default_one(tablet: Home, tmp_path: Path) -> None:
    outcome = tablet.run(command=[*PROGRAM, "--home", "", *INIT], variables={"HOME": str(tmp_path)})

    assert outcome.refusal == "--home is empty; expected a folder"
    assert list(tmp_path.iterdir()) == []


def test_variable_names_the_home(small_school: Home) -> None:
    outcome = small_school.run(
        command=[*PROGRAM, "show", "--json"], variables={"COLLECTION_SYNC_HOME": str(small_school.path)}
    )

    assert outcome.json()["role"] == "hub"


def test_variable_names_the_home_of_a_command_in_a_group(small_school: Home) -> None:
    outcome = small_school.run(
        command=[*PROGRAM, "quarantine", "list", "--json"], variables={"COLLECTION_SYNC_HOME": str(small_school.path)}
    )

    assert outcome.json() == []


def test_option_behind_the_command_goes_before_the_variable(small_school: Home, tmp_path: Path) -> None:
    outcome = small_school.run(
        command=[*PROGRAM, "show", "--json", "--home", str(small_school.path)],
        variables={"COLLECTION_SYNC_HOME": str(tmp_path / "nowhere")},
    )

    assert outcome.json()["role"] == "hub"


@pytest.mark.parametrize("content", [os.urandom(4096), b"PRAGMA nonsense;\n" * 100], ids=["binary", "text"])
def test_database_file_that_is_none_is_told_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    home = FileHome(tmp_path)
    home.database.write_bytes(content)

    assert home.run(*INIT).refusal == "the database of this home cannot be used: file is not a database"
    assert home.database.read_bytes() == content


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("nonsense", "DATABASE_URL cannot be used: expected postgresql://USER:PASSWORD@HOST:PORT/NAME"),
        ("mysql://u:geheim@h/db", "DATABASE_URL cannot be used: expected postgresql://USER:PASSWORD@HOST:PORT/NAME"),
        ("postgres://u:geheim@h:port/db", "DATABASE_URL cannot be used: it cannot be read"),
        ("postgres://u:geheim@127.0.0.1:9/", "DATABASE_URL cannot be used: it names no database"),
        ("postgres://u:geheim@127.0.0.1:9/db", "the database of this home cannot be used: connection to server at"),
    ],
    ids=["no address", "another database", "no port", "no database", "no server"],
)
def test_database_url_that_is_none_is_told_without_its_password(tablet: Home, url: str, line: str) -> None:
    refusal = tablet.run(*INIT, variables={"DATABASE_URL": url}).refusal

    assert line in refusal
    assert "geheim" not in refusal


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["init", "", "--admin", "head", "--password", "x"], "name: This field cannot be blank."),
        (["init", "B", "--admin", "he ad", "--password", "x"], "a username is 1 to 30 letters, digits and underscores"),
        (["init", "B", "--admin", "h" * 31, "--password", "x"], "a username is 1 to 30 letters"),
        (["init", "B", "--admin", "head", "--password", ""], "the password for 'head' is empty"),
        (["init", "B", "--admin", "head"], "no password for 'head': give --password, or set COLLECTION_SYNC_PASSWORD"),
    ],
    ids=["no name", "bad username", "long username", "empty password", "no password"],
)
def test_facility_that_was_refused_leaves_a_home_that_is_no_device(tablet: Home, words: list[str], line: str) -> None:
    assert line in tablet.run(*words).refusal

    assert not tablet.is_device
