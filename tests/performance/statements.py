"""Counting the SQL statements of each device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


class Statements:
    """Counts what a device asks its database: ``Device(..., while_active=(statements.of("hub"),))``.

    Beginnings of transactions and savepoints count where Django sends them as statements, as SQLite has it.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def of(self, name: str) -> Callable[[], Any]:
        """What a device of this name enters whenever it is active."""

        @contextmanager
        def counting() -> Iterator[None]:
            def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
                self.counts[name] += 1
                return execute(sql, params, many, context)

            with connection.execute_wrapper(count):
                yield

        return counting

    @contextmanager
    def taken(self) -> Iterator[Counter[str]]:
        """Counts what happens inside."""
        before = Counter(self.counts)
        taken: Counter[str] = Counter()
        yield taken
        taken.update(self.counts - before)
