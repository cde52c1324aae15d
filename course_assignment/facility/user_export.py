"""Kolibri's user export: reading its CSV, whole or not at all.

The columns and their values are those of Kolibri 0.19.5's ``bulkexportusers`` and ``bulkimportusers``.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course_assignment.facility import usernames
from course_assignment.facility.errors import ExportRefused, RowError
from course_assignment.facility.text import is_line, name_key

COLUMNS = (
    "UUID",
    "USERNAME",
    "PASSWORD",
    "FULL_NAME",
    "USER_TYPE",
    "IDENTIFIER",
    "BIRTH_YEAR",
    "GENDER",
    "ENROLLED_IN",
    "ASSIGNED_TO",
)
USER_TYPES = ("LEARNER", "ADMIN", "FACILITY_COACH", "CLASS_COACH")
GENDERS = ("", "MALE", "FEMALE", "NOT_SPECIFIED", "DEFERRED")
UNCHANGED_PASSWORD = "*"

_COLUMN_KEY = re.compile(r"\(([A-Z_]+)\)\s*$")
_USERNAME = re.compile(usernames.USERNAME)
_YEAR = re.compile("[0-9]{4}")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class ExportedUser:
    """One row of an export.

    :param line: the line of the file, from 1
    :param uuid: Kolibri's id of the user, 32 hex digits; empty for one that Kolibri did not know
    :param username: the name to sign in with
    :param password: a password, or None where the export keeps it to itself
    :param full_name: the person's name
    :param user_type: one of ``USER_TYPES``
    :param id_number: the school's own number for the person
    :param birth_year: four digits, or Kolibri's words for none
    :param gender: one of ``GENDERS``
    :param enrolled_in: names of classrooms
    :param assigned_to: names of classrooms that the user is coach of
    """

    line: int
    uuid: str
    username: str
    password: str | None
    full_name: str
    user_type: str
    id_number: str
    birth_year: str
    gender: str
    enrolled_in: tuple[str, ...]
    assigned_to: tuple[str, ...]


def read_export(path: Path) -> list[ExportedUser]:
    """The users in a file.

    :raises ExportRefused: when it is no export, or any of its rows is bad; all bad rows are named
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ExportRefused(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ExportRefused(f"{path} is no user export: expected a CSV file in UTF-8") from error
    return parse_export(text, str(path))


def parse_export(text: str, name: str) -> list[ExportedUser]:
    """The users in the text of an export. Pure.

    :param text: the whole file
    :param name: what to call the file in a message
    :raises ExportRefused: when it is no export, or any of its rows is bad; all bad rows are named
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    users: list[ExportedUser] = []
    errors: list[RowError] = []
    try:
        columns = _columns(next(reader, []), name)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                errors.append(RowError(reader.line_num, f"{len(cells)} columns; expected {len(columns)}"))
                continue
            row = {column: _text(cell, column) for column, cell in zip(columns, cells)}
            reasons = list(_bad_cells(row))
            if reasons:
                errors += [RowError(reader.line_num, reason) for reason in reasons]
            else:
                users.append(_user(reader.line_num, row))
    except csv.Error as error:
        raise ExportRefused(f"{name} is no user export: line {reader.line_num} is not CSV ({error})") from error
    errors += _repeated(users)
    if errors:
        rows = sorted(errors, key=lambda error: error.line)
        raise ExportRefused(f"{name} has {len(rows)} bad row(s), and nothing was imported:", rows)
    if not users:
        raise ExportRefused(f"{name} has no users in it")
    return users


def _columns(header: list[str], name: str) -> list[str]:
    # Kolibri writes its columns as "Full name (FULL_NAME)", the first part in the language of the export.
    keys = [match.group(1) if (match := _COLUMN_KEY.search(cell)) else cell.strip() for cell in header]
    missing = [column for column in COLUMNS if column not in keys]
    if missing:
        raise ExportRefused(
            f"{name} is no user export: its first line lacks {', '.join(missing)}; expected Kolibri's columns "
            f"{', '.join(COLUMNS)}"
        )
    repeated = [column for column in COLUMNS if keys.count(column) > 1]
    if repeated:
        raise ExportRefused(f"{name} is no user export: its first line has {', '.join(repeated)} more than once")
    return keys


def _text(cell: str, column: str) -> str:
    # What looks alike is alike, however the program that wrote the file codes an accent; a password is what was typed.
    return cell if column == "PASSWORD" else unicodedata.normalize("NFC", cell).strip()


def _bad_cells(row: dict[str, str]) -> Iterable[str]:
    for column in COLUMNS:
        if not is_line(row[column]):
            yield f"{column} holds characters that no line of text has"
    if row["UUID"]:
        try:
            uuid.UUID(row["UUID"])
        except ValueError:
            yield f"{row['UUID']!r} in UUID is none; expected 32 hex digits or nothing"
    if not _USERNAME.fullmatch(row["USERNAME"]):
        yield f"{row['USERNAME']!r} in USERNAME; expected {usernames.EXPECTED}"
    if not row["PASSWORD"]:
        yield f"no PASSWORD; expected one, or {UNCHANGED_PASSWORD!r} for one that the export does not tell"
    if row["USER_TYPE"] not in USER_TYPES:
        yield f"{row['USER_TYPE']!r} in USER_TYPE; expected one of {', '.join(USER_TYPES)}"
    if len(row["FULL_NAME"]) > 120:
        yield "FULL_NAME is longer than 120 characters"
    if len(row["IDENTIFIER"]) > 64:
        yield "IDENTIFIER is longer than 64 characters"
    if row["BIRTH_YEAR"] not in ("", "NOT_SPECIFIED", "DEFERRED") and not (
        _YEAR.fullmatch(row["BIRTH_YEAR"]) and 1900 <= int(row["BIRTH_YEAR"]) <= 3000
    ):
        yield f"{row['BIRTH_YEAR']!r} in BIRTH_YEAR; expected a year from 1900 to 3000, or nothing"
    if row["GENDER"].upper() not in GENDERS:
        yield f"{row['GENDER']!r} in GENDER; expected one of {', '.join(filter(None, GENDERS))}, or nothing"
    if row["ASSIGNED_TO"] and row["USER_TYPE"] == "LEARNER":
        yield "ASSIGNED_TO names classes for a LEARNER; only coaches and admins have them"
    for column in ("ENROLLED_IN", "ASSIGNED_TO"):
        if any(len(classroom) > _LONGEST_NAME for classroom in _names(row[column])):
            yield f"{column} names a class with more than {_LONGEST_NAME} characters"


def _repeated(users: list[ExportedUser]) -> list[RowError]:
    errors: list[RowError] = []
    for column, key in (("USERNAME", lambda user: name_key(user.username)), ("UUID", lambda user: user.uuid)):
        first: dict[str, int] = {}
        for user in users:
            value = key(user)
            if value and first.setdefault(value, user.line) != user.line:
                errors.append(RowError(user.line, f"{column} is that of line {first[value]} again"))
    return errors


def _user(line: int, row: dict[str, str]) -> ExportedUser:
    return ExportedUser(
        line=line,
        uuid=uuid.UUID(row["UUID"]).hex if row["UUID"] else "",
        username=row["USERNAME"],
        password=None if row["PASSWORD"] == UNCHANGED_PASSWORD else row["PASSWORD"],
        full_name=row["FULL_NAME"],
        user_type=row["USER_TYPE"],
        id_number=row["IDENTIFIER"],
        birth_year=row["BIRTH_YEAR"],
        gender=row["GENDER"].upper(),
        enrolled_in=_names(row["ENROLLED_IN"]),
        assigned_to=_names(row["ASSIGNED_TO"]),
    )


def _names(cell: str) -> tuple[str, ...]:
    # By their keys, so that a class that stands there twice is one, whatever the case.
    return tuple({name_key(name): name for name in map(str.strip, cell.split(",")) if name}.values())
