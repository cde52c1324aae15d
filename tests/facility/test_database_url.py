"""``DATABASE_URL``: a PostgreSQL database, or a line that does not hold its password."""

from __future__ import annotations

import pytest

from course_assignment.facility.database_url import database_from_url
from course_assignment.facility.errors import DatabaseUrlRefused


def test_address_of_a_postgresql_database_becomes_settings() -> None:
    settings = database_from_url("postgresql://u:p%2F@db.example:5433/school")

    assert settings["ENGINE"] == "django.db.backends.postgresql"
    assert [settings[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        *("u", "p/", "db.example", 5433, "school"),
    ]
    # Kept open: a process of ours is one device with one database.
    assert settings["CONN_MAX_AGE"] is None


@pytest.mark.parametrize(
    "url",
    ["nonsense", "sqlite:///geheim", "mysql://u:geheim@h/d", "postgres://u:geheim@h:p/d", "postgres://u:geheim@h/"],
)
def test_anything_else_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(DatabaseUrlRefused) as error:
        database_from_url(url)

    assert "geheim" not in str(error.value)
