"""A home folder: where one device keeps its database, and who is at work on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from filelock import FileLock, Timeout

from course_assignment.facility.errors import HomeInUse, HomeUnusable

SETTINGS_MODULE = "course_assignment.facility.settings"


class Home:
    """One device's home folder.

    :param path: the folder; made when it is missing and something is to be kept in it
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()

    def __str__(self) -> str:
        return str(self.path)

    def activate(self) -> None:
        """Make this process that device: Django's settings read the home once.

        :raises DatabaseUrlRefused: when ``DATABASE_URL`` is set and names no database that can be used
        """
        os.environ["COLLECTION_SYNC_HOME"] = str(self.path)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS_MODULE)
        django.setup()

    @property
    def is_new(self) -> bool:
        """Whether there is no database yet."""
        from django.db import connection

        if connection.vendor == "sqlite":
            return not Path(connection.settings_dict["NAME"]).exists()
        return not connection.introspection.table_names()

    def prepare(self) -> None:
        """Make the folder and bring the database up to date.

        :raises HomeUnusable: when the folder cannot be made
        """
        from django.core.management import call_command
        from django.db import connection
        from django.db.migrations.executor import MigrationExecutor

        self._make_folder()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
            call_command("loaddata", "scopedefinitions", verbosity=0)

    @contextmanager
    def only_one(self, doing: str) -> Iterator[None]:
        """Hold the home for something that only one process may do at a time.

        :param doing: what; another thing may be done at the same time
        :raises HomeInUse: when another process does it already
        :raises HomeUnusable: when the folder cannot be made or written to
        """
        self._make_folder()
        lock = FileLock(self.path / f"{doing}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise HomeInUse(self, doing) from None
        except OSError as error:
            raise HomeUnusable(self.path, error.strerror or "it cannot be locked") from error
        try:
            yield
        finally:
            lock.release()

    def _make_folder(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeUnusable(self.path, error.strerror or "it cannot be made") from error
        if not os.access(self.path, os.W_OK):
            raise HomeUnusable(self.path, "it cannot be written to")
