"""Django's SQLite backend, with writers that queue.

SQLite gives up at once, whatever its timeout, when a transaction that has only read so far wants to write while
another writes. Morango's transactions read first. So every transaction here asks for the write lock when it begins
and waits for it; Django 5.1 has an option for that (``transaction_mode``), Django 3.2 has this hook, which its own
backend overrides in the same way (``django.db.backends.sqlite3.base``, read in 3.2.25).
"""

from __future__ import annotations

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Begins with ``BEGIN IMMEDIATE``, and lets readers read while one writes (``journal_mode=WAL``)."""

    def _start_transaction_under_autocommit(self) -> None:
        self.cursor().execute("BEGIN IMMEDIATE")

    def get_new_connection(self, conn_params):  # type: ignore[no-untyped-def]
        connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection
