"""The command as processes of their own: how one has ended, and one that serves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

PROGRAM = (sys.executable, "-m", "course_assignment.facility")

PATIENCE = 300
"""Seconds after which a process that does not end fails its test."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    :param status: its exit status
    :param stdout: what it printed
    :param stderr: what it said beside
    """

    status: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        """What it printed, all of it, as JSON."""
        return json.loads(self.stdout)

    @property
    def refusal(self) -> str:
        """The one line that says what a person got wrong; fails for a command that did not fail in that way."""
        assert self.status != 0, self
        assert self.stdout == "", self
        (line,) = self.stderr.splitlines()
        assert line.startswith("Error: "), self
        return line[len("Error: ") :]


class Hub(Protocol):
    """What a server needs to know of its home."""

    path: Path

    @property
    def environment(self) -> Mapping[str, str]: ...

    def command(self, *words: str) -> list[str]: ...


class Serving:
    """A ``serve`` process. Entered, it has said its address; left, it has ended.

    :param home: of the hub
    :param words: further options
    """

    def __init__(self, home: Hub, *words: str) -> None:
        self.home = home
        self.words = words or ("--port", "0")
        self.log = home.path / f"serve-{uuid.uuid4().hex[:6]}.log"

    def __enter__(self) -> Serving:
        self._log = self.log.open("w")
        self.process = subprocess.Popen(
            self.home.command("serve", *self.words),
            env=self.home.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        # So that a server that neither says a word nor ends fails its test instead of holding it up.
        guard = threading.Timer(PATIENCE, self.process.kill)
        guard.start()
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()
        guard.cancel()
        self.url = next((word for word in self.first_line.split() if word.startswith("http://")), "")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop(signal.SIGTERM)

    def stop(self, by: signal.Signals) -> int:
        """End the process by this signal; its exit status. Doing it twice is no harm."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()
        return status
