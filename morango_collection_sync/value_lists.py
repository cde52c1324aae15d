"""Any number of values in one statement, on SQLite and on PostgreSQL.

A condition for each value makes an expression as deep as there are values, and SQLite takes no more than 1000; a
parameter for each value meets another limit. Here all of them are one parameter, a JSON list.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import CharField, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Substr

from morango_collection_sync.prefixes import Prefixes


def texts(values: Iterable[str]) -> RawSQL:
    """Strings, for the right side of ``__in``."""
    return _listed(values, "jsonb_array_elements_text(%s::jsonb)", TextField())


def ids(values: Iterable[str]) -> RawSQL:
    """Ids of 32 hex digits, for the right side of ``__in`` at one of Morango's ``UUIDField``."""
    return _listed(values, "jsonb_array_elements_text(%s::jsonb)::uuid", CharField())


def beginning_with(rows: QuerySet, field: str, prefixes: Iterable[str]) -> QuerySet:
    """Those rows whose field begins with any of these, character by character.

    :param rows: of any model
    :param field: the name of a field of text, which may be one of another table
    """
    wanted = Q(pk__in=())
    for length, of_length in Prefixes(prefixes).by_length().items():
        if not length:
            return rows
        name = f"first_{length}"
        rows = rows.alias(**{name: Substr(field, 1, length)})
        wanted |= Q(**{f"{name}__in": texts(of_length)})
    return rows.filter(wanted)


def upsert_greater(model: Any, key: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write counters in one statement, where they are new or greater than what is there.

    :param model: it has a unique constraint over ``key``, and a column ``counter``
    :param key: the two columns, an instance's id and a partition
    :param rows: an instance's id, a partition and a counter each
    """
    rows = list(rows)
    if not rows:
        return
    table, columns = model._meta.db_table, ", ".join(key)
    if connection.vendor == "postgresql":
        source = "SELECT (r->>0)::uuid, r->>1, (r->>2)::integer FROM jsonb_array_elements(%s::jsonb) AS r"
    else:
        source = (
            "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') "
            "FROM json_each(%s) WHERE true"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}, counter) {source} ON CONFLICT ({columns}) DO UPDATE "
            f"SET counter = excluded.counter WHERE {table}.counter < excluded.counter",
            [json.dumps(rows)],
        )


def _listed(values: Iterable[str], on_postgresql: str, output_field: Any) -> RawSQL:
    source = f"SELECT {on_postgresql}" if connection.vendor == "postgresql" else "SELECT value FROM json_each(%s)"
    return RawSQL(source, [json.dumps(sorted(values))], output_field)
