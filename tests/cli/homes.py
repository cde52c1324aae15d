"""Homes to run the command on, as processes of their own: a folder each, and a database each of the kind under test."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tests.cli.processes import PATIENCE, PROGRAM, Outcome, Serving

ROOT = Path(__file__).parents[2]

# What a process notes of itself and of the machine; every other row is somebody's data.
_OF_THE_MACHINE = frozenset({"morango_instanceidmodel", "morango_databaseidmodel", "sqlite_sequence"})

Rows = list[tuple[Any, ...]]


class Home(ABC):
    """One device's home.

    :param path: its folder
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"<Home {self.path.name}>"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a command on this home is started with, as far as they are not the tests' own."""
        ours = ("COLLECTION_SYNC_", "DJANGO_", "TEST_DATABASE", "DATABASE_URL")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        # A terminal of this size, whatever the tests themselves are started in.
        return {**kept, "COLUMNS": "160", "LC_ALL": "C.UTF-8", **self._database()}

    def command(self, *words: str) -> list[str]:
        """What to start for this command on this home."""
        return [*PROGRAM, "--home", str(self.path), *words]

    def run(
        self, *words: str, variables: Mapping[str, str] | None = None, command: Sequence[str] | None = None
    ) -> Outcome:
        """Run a command and wait for its end. It has no terminal.

        :param variables: of the environment, beside those that it has anyway
        :param command: the whole command, where it is not to begin with ``--home``
        """
        done = subprocess.run(
            command or self.command(*words),
            env={**self.environment, **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Outcome(done.returncode, done.stdout, done.stderr)

    def do(self, *words: str) -> str:
        """Run a command that succeeds; what it printed."""
        done = self.run(*words)
        assert done.status == 0, done
        return done.stdout

    def ask(self, *words: str) -> Any:
        """Run a command that succeeds, with ``--json``; what it printed."""
        return json.loads(self.do(*words, "--json"))

    def prepare(self, function: str) -> None:
        """Call a function in a process that is this home's device: many edits at the price of one command.

        :param function: ``module:name``, importable from the root of the project
        """
        code = "import sys; from tests.cli.in_home import call; call(*sys.argv[1:])"
        subprocess.run(
            [sys.executable, "-c", code, str(self.path), function],
            env=self.environment,
            cwd=ROOT,
            timeout=PATIENCE,
            check=True,
        )

    @contextmanager
    def served(self, *words: str) -> Iterator[Serving]:
        """``serve`` on a free port, until the block ends."""
        with Serving(self, *words) as serving:
            yield serving

    @property
    def is_device(self) -> bool:
        """Whether the home has a key of its own to sync with, which is what makes it a hub or a member device."""
        return (
            self.path.exists() and self.query("SELECT 1 FROM morango_certificate WHERE private_key IS NOT NULL") != []
        )

    def titles(self) -> set[str]:
        """The titles of the course assignments that are here, read by ``show``."""
        return {assignment["title"] for assignment in self.ask("show")["assignments"]}

    def state(self) -> dict[str, Rows]:
        """Every row of every table, but for what a process notes of the machine that it runs on."""
        return {table: sorted(rows, key=repr) for table, rows in self._tables() if table not in _OF_THE_MACHINE}

    @abstractmethod
    def query(self, statement: str) -> Rows:
        """What the database answers, read past the program."""

    @abstractmethod
    def _database(self) -> dict[str, str]: ...

    @abstractmethod
    def _tables(self) -> Iterator[tuple[str, Rows]]: ...


class FileHome(Home):
    """A home whose database is a file in it."""

    @property
    def database(self) -> Path:
        """The file; there is none before the first command that makes one."""
        return self.path / "device.sqlite3"

    def query(self, statement: str) -> Rows:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(statement).fetchall()

    def _database(self) -> dict[str, str]:
        return {}

    def _tables(self) -> Iterator[tuple[str, Rows]]:
        if not self.database.exists():
            return
        for (table,) in self.query("SELECT name FROM sqlite_master WHERE type = 'table'"):
            yield table, self.query(f'SELECT * FROM "{table}"')


class ServerHome(Home):
    """A home whose database is on a PostgreSQL server.

    :param server: how the server is reached, in Django's words
    :param name: of the database
    """

    def __init__(self, path: Path, server: Mapping[str, Any], name: str) -> None:
        super().__init__(path)
        self.server = server
        self.name = name

    def query(self, statement: str) -> Rows:
        rows = _on_server(self.server, self.name, statement)
        # Ids as they are everywhere else: 32 hex digits.
        return [tuple(cell.hex if isinstance(cell, uuid.UUID) else cell for cell in row) for row in rows]

    def _database(self) -> dict[str, str]:
        user, secret = (quote(str(self.server[key]), safe="") for key in ("USER", "PASSWORD"))
        # The host may be a socket's folder, which as a part of the address is not read with a port behind it.
        where = {key: self.server[key.upper()] for key in ("host", "port") if self.server[key.upper()]}
        name = f"{user}:{secret}" if secret else user
        return {"DATABASE_URL": f"postgresql://{name}@/{self.name}?{urlencode(where)}"}

    def _tables(self) -> Iterator[tuple[str, Rows]]:
        for (table,) in self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            yield table, self.query(f'SELECT t::text FROM "{table}" t')


class Homes(ABC):
    """Where homes come from.

    :param folder: where their folders are made
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def new(self, name: str) -> Home:
        """A home that does not exist yet: neither its folder, nor a table in its database."""

    @abstractmethod
    def copy(self, home: Home, name: str) -> Home:
        """Another home that is as this one is now. No process may be using it."""

    @abstractmethod
    def drop_all(self) -> None:
        """Remove what the homes have outside of their folders."""

    def _folder(self, name: str) -> Path:
        return self.folder / f"{name}-{uuid.uuid4().hex[:6]}"


class FileHomes(Homes):
    """Homes with files."""

    def new(self, name: str) -> Home:
        return FileHome(self._folder(name))

    def copy(self, home: Home, name: str) -> Home:
        copy = FileHome(self._folder(name))
        shutil.copytree(home.path, copy.path)
        return copy

    def drop_all(self) -> None:
        pass


class ServerHomes(Homes):
    """Homes with databases on a PostgreSQL server."""

    def __init__(self, folder: Path, server: Mapping[str, Any]) -> None:
        super().__init__(folder)
        self.server = {key: server.get(key) or "" for key in ("HOST", "PORT", "USER", "PASSWORD")}
        self._made: list[str] = []

    def new(self, name: str) -> Home:
        return self._made_from("template1", name)

    def copy(self, home: Home, name: str) -> Home:
        assert isinstance(home, ServerHome)
        copy = self._made_from(home.name, name)
        shutil.copytree(home.path, copy.path)
        return copy

    def drop_all(self) -> None:
        for name in self._made:
            _on_server(self.server, "postgres", f'DROP DATABASE "{name}" WITH (FORCE)')

    def _made_from(self, template: str, name: str) -> ServerHome:
        database = f"cli_{uuid.uuid4().hex}"
        _on_server(self.server, "postgres", f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        self._made.append(database)
        return ServerHome(self._folder(name), self.server, database)


def _on_server(server: Mapping[str, Any], database: str, statement: str) -> Rows:
    # Only a run on PostgreSQL has the driver for it.
    import psycopg2

    address = {"host": server["HOST"], "port": server["PORT"], "user": server["USER"], "password": server["PASSWORD"]}
    given = {key: value for key, value in address.items() if value}
    with closing(psycopg2.connect(dbname=database, **given)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
