"""``import-users`` as a person runs it: the whole file or nothing, and every bad row named at once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.cli.homes import Home
from tests.cli.schools import EXPORT_HEADER, PASSWORD, SMALL_EXPORT, export_row

REFUSED = {
    "no CSV but a picture": (random.Random(1).randbytes(5000), "expected a CSV file in UTF-8"),
    "no UTF-8": (f"{EXPORT_HEADER}\n{export_row('élodie')}".encode("utf-16"), "expected a CSV file in UTF-8"),
    "nothing": (b"", "its first line lacks UUID, USERNAME"),
    "another header": (b"name;class\nlea;4A\n", "its first line lacks UUID, USERNAME"),
    "a header alone": (EXPORT_HEADER.encode(), "has no users in it"),
    "a quote that does not end": (f'{EXPORT_HEADER}\n,"lea,*\n'.encode(), "is not CSV"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_file_that_is_no_export_is_refused_in_one_line(small_school: Home, tmp_path: Path, kind: str) -> None:
    content, line = REFUSED[kind]
    (tmp_path / "users.csv").write_bytes(content)
    before = small_school.state()

    outcome = small_school.run("import-users", str(tmp_path / "users.csv"), "--password", PASSWORD)

    assert line in outcome.refusal
    assert small_school.state() == before


def test_all_bad_rows_are_named_with_their_lines_and_no_good_one_is_imported(
    small_school: Home, tmp_path: Path
) -> None:
    rows = [
        EXPORT_HEADER,
        export_row("good", enrolled="4A"),
        export_row("b a d"),
        export_row("lea", user_type="WIZARD", password=""),
        export_row("Good", enrolled="4A"),
        "too,few",
        export_row("late", enrolled="x" * 101),
    ]
    (tmp_path / "users.csv").write_text("\n".join(rows))
    before = small_school.state()

    outcome = small_school.run("import-users", str(tmp_path / "users.csv"), "--password", PASSWORD)

    assert outcome.status == 1
    assert outcome.stdout == ""
    first, *named = outcome.stderr.splitlines()
    assert first.endswith("has 6 bad row(s), and nothing was imported:")
    assert [line.split(":")[0] for line in named] == ["line 3", "line 4", "line 4", "line 5", "line 6", "line 7"]
    assert small_school.state() == before


def test_new_users_without_a_password_are_counted_in_one_line(small_school: Home, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("\n".join([SMALL_EXPORT, export_row("new"), export_row("newer")]))
    before = small_school.state()

    outcome = small_school.run("import-users", str(tmp_path / "users.csv"))

    assert outcome.refusal == "no password for the 2 new users: give --password, or set COLLECTION_SYNC_PASSWORD"
    assert small_school.state() == before


def test_variable_holds_the_first_password_of_new_users(hub: Home, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("\n".join([SMALL_EXPORT, export_row("new", enrolled="4A")]))

    outcome = hub.run(
        "import-users",
        str(tmp_path / "users.csv"),
        "--json",
        variables={"COLLECTION_SYNC_PASSWORD": PASSWORD},
    )

    assert outcome.json() == {
        "users_created": 1,
        "users_changed": 0,
        "classrooms_created": 0,
        "memberships_created": 1,
        "memberships_ended": 0,
        "roles_created": 0,
        "roles_ended": 0,
    }
