"""Reading Kolibri's user export: whole or not at all, with every bad row named."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_assignment.facility.errors import ExportRefused
from course_assignment.facility.user_export import (
    COLUMNS,
    GENDERS,
    USER_TYPES,
    ExportedUser,
    parse_export,
    read_export,
)

GOOD = {
    "UUID": "28f224f4e63d12fd7f8a26ce7cb8344b",
    "USERNAME": "ihassan",
    "PASSWORD": "*",
    "FULL_NAME": "Ines Hassan",
    "USER_TYPE": "LEARNER",
    "IDENTIFIER": "7",
    "BIRTH_YEAR": "2019",
    "GENDER": "FEMALE",
    "ENROLLED_IN": "Grade 1A,Grade 1B",
    "ASSIGNED_TO": "",
}


def export_of(*rows: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows({**GOOD, **row} for row in rows)
    return text.getvalue()


def parse(*rows: dict[str, str]) -> list[ExportedUser]:
    return parse_export(export_of(*rows), "users.csv")


def refused(*rows: dict[str, str]) -> list[tuple[int, str]]:
    with pytest.raises(ExportRefused) as refusal:
        parse(*rows)
    return [(row.line, row.reason) for row in refusal.value.rows]


def test_row_becomes_a_user() -> None:
    assert parse({}) == [
        ExportedUser(
            line=2,
            uuid="28f224f4e63d12fd7f8a26ce7cb8344b",
            username="ihassan",
            password=None,
            full_name="Ines Hassan",
            user_type="LEARNER",
            id_number="7",
            birth_year="2019",
            gender="FEMALE",
            enrolled_in=("Grade 1A", "Grade 1B"),
            assigned_to=(),
        )
    ]


def test_header_may_be_in_any_language_and_order() -> None:
    row = export_of({}).splitlines()[1]
    reordered = ",".join(reversed([f"Nombre ({column})" for column in COLUMNS]))
    cells = next(csv.reader([row]))
    text = io.StringIO()
    csv.writer(text).writerow(reversed(cells))

    assert parse_export(f"{reordered}\n{text.getvalue()}", "users.csv") == parse({})


def test_file_may_begin_with_the_mark_of_its_encoding(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text(export_of({}), encoding="utf-8-sig")

    assert read_export(tmp_path / "users.csv") == parse({})


def test_empty_lines_are_passed_over_and_counted() -> None:
    assert [user.line for user in parse_export(f"{export_of({})}\n,,,,,,,,,\n", "users.csv")] == [2]
    assert refused({}, {"USERNAME": ""})[0][0] == 3


def test_password_is_taken_as_it_was_typed() -> None:
    assert parse({"PASSWORD": " e\u0301 "})[0].password == " e\u0301 "


def test_accent_is_the_same_however_it_is_coded() -> None:
    (user,) = parse({"USERNAME": "e\u0301lodie", "ENROLLED_IN": "E\u0301cole"})

    assert (user.username, user.enrolled_in) == ("\u00e9lodie", ("\u00c9cole",))


def test_class_that_stands_twice_in_a_cell_is_one() -> None:
    assert len(parse({"ENROLLED_IN": "Grade 1A, grade 1a,,Grade 1A"})[0].enrolled_in) == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"UUID": "7"}, "'7' in UUID is none; expected 32 hex digits or nothing"),
        ({"USERNAME": ""}, "'' in USERNAME"),
        ({"USERNAME": "a b"}, "'a b' in USERNAME"),
        ({"USERNAME": "x" * 31}, "in USERNAME; expected 1 to 30"),
        ({"PASSWORD": ""}, "no PASSWORD"),
        ({"USER_TYPE": "learner"}, "'learner' in USER_TYPE; expected one of LEARNER"),
        ({"FULL_NAME": "x" * 121}, "FULL_NAME is longer than 120 characters"),
        ({"IDENTIFIER": "x" * 65}, "IDENTIFIER is longer than 64 characters"),
        ({"BIRTH_YEAR": "1899"}, "'1899' in BIRTH_YEAR"),
        ({"BIRTH_YEAR": "9" * 5000}, "in BIRTH_YEAR"),
        ({"BIRTH_YEAR": "\u0662\u0660\u0661\u0669"}, "in BIRTH_YEAR"),
        ({"GENDER": "X"}, "'X' in GENDER"),
        ({"ASSIGNED_TO": "Grade 1A"}, "ASSIGNED_TO names classes for a LEARNER"),
        ({"ENROLLED_IN": "x" * 101}, "ENROLLED_IN names a class with more than 100 characters"),
        ({"FULL_NAME": "Ines\x00Hassan"}, "FULL_NAME holds characters that no line of text has"),
        ({"ENROLLED_IN": "Grade\n1A"}, "ENROLLED_IN holds characters that no line of text has"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_cell_is_named_with_its_line_and_what_was_expected(row: dict[str, str], reason: str) -> None:
    last = refused({"USERNAME": "good", "UUID": ""}, row)[-1]

    assert reason in last[1]
    # A cell of two lines ends on the second one.
    assert last[0] == 3 + row.get("ENROLLED_IN", "").count("\n")


def test_every_reason_of_every_bad_row_is_told() -> None:
    rows = [{"USERNAME": "a b", "GENDER": "X"}, {"UUID": "", "USERNAME": "good"}, {"BIRTH_YEAR": "x"}]

    assert [line for line, _ in refused(*rows)] == [2, 2, 4]


def test_name_or_id_that_another_row_has_is_told_with_that_row() -> None:
    rows = [{}, {"USERNAME": "IHASSAN", "UUID": ""}, {"USERNAME": "other"}]

    assert refused(*rows) == [(3, "USERNAME is that of line 2 again"), (4, "UUID is that of line 2 again")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "its first line lacks UUID"),
        (export_of(), "has no users in it"),
        ("\n".join([",".join([*COLUMNS, "USERNAME"]), "x"]), "has USERNAME more than once"),
        (export_of({}).replace(",", ";"), "its first line lacks"),
        (export_of({}) + '"', "is not CSV"),
        (export_of({}) + "a,b\n", "has 1 bad row"),
        (export_of({"FULL_NAME": "x" * 200_000}), "is not CSV"),
    ],
    ids=["nothing", "a header alone", "a column twice", "semicolons", "a quote open", "a short row", "a huge cell"],
)
def test_file_that_is_no_export_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(ExportRefused, match=reason):
        parse_export(text, "users.csv")


@settings(deadline=None)
@given(st.text() | st.text(alphabet='",\n\r\x00ab*'))
def test_any_text_gives_users_or_a_refusal(body: str) -> None:
    for text in (body, ",".join(COLUMNS) + "\n" + body):
        with suppress(ExportRefused):
            assert parse_export(text, "users.csv")


CELLS = st.fixed_dictionaries(
    {},
    optional={
        column: st.sampled_from([GOOD[column], ""]) | st.text(max_size=130) | st.just("9" * 5000) for column in COLUMNS
    },
)


@settings(deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=4))
def test_any_cells_give_users_that_the_models_can_hold_or_a_refusal(rows: list[dict[str, str]]) -> None:
    try:
        users = parse(*rows)
    except ExportRefused:
        return
    assert len({user.username.casefold() for user in users}) == len(users)
    for user in users:
        assert 1 <= len(user.username) <= 30
        assert len(user.full_name) <= 120
        assert len(user.id_number) <= 64
        assert len(user.birth_year) <= 16
        assert user.gender in GENDERS
        assert user.user_type in USER_TYPES
        assert all(len(name) <= 100 for name in (*user.enrolled_in, *user.assigned_to))
