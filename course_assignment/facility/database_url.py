"""``DATABASE_URL``: the PostgreSQL database that a home uses instead of a file."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import dj_database_url

from course_assignment.facility.errors import DatabaseUrlRefused

_SCHEMES = ("postgres://", "postgresql://")


def database_from_url(url: str) -> dict[str, Any]:
    """Django's settings for this database. The messages never hold the address, which may hold a password.

    :param url: ``postgresql://USER:PASSWORD@HOST:PORT/NAME``
    :raises DatabaseUrlRefused: when it is no address of a PostgreSQL database, or its driver is not installed
    """
    if not url.startswith(_SCHEMES):
        raise DatabaseUrlRefused("expected postgresql://USER:PASSWORD@HOST:PORT/NAME")
    if find_spec("psycopg2") is None:
        raise DatabaseUrlRefused("PostgreSQL needs one more package: pip install 'morango-collection-sync[postgresql]'")
    try:
        settings: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=None))
    except ValueError as error:
        raise DatabaseUrlRefused("it cannot be read; percent-encode what is special in a password") from error
    if not settings.get("NAME"):
        raise DatabaseUrlRefused("it names no database; expected postgresql://USER:PASSWORD@HOST:PORT/NAME")
    return settings
