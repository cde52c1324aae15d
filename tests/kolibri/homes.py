"""Real Kolibri devices: a home folder each, ``kolibri`` commands as processes, a server on a loopback port.

Nothing of Kolibri is imported here, so that this can also be used from outside of the tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PLUGIN = "course_assignment.kolibri"
PASSWORD = "chalk-and-slate"
READY_DEADLINE = 90
"""Seconds in which a server must answer."""
COMMAND_DEADLINE = 180
"""Seconds in which a command must end."""
_PROJECT = Path(__file__).resolve().parents[2]


class CommandFailed(Exception):
    """A process of Kolibri ended with a status other than 0.

    :param command: what was run
    :param output: what it printed
    """

    def __init__(self, command: list[str], status: int, output: str) -> None:
        self.command, self.status, self.output = command, status, output
        super().__init__(f"{' '.join(command[1:])} ended with status {status}:\n{output[-4000:]}")


class Home:
    """One Kolibri device.

    :param path: its home folder
    :param plugin: whether the plugin of this project is enabled on it
    :param environment: environment variables for its processes, beyond those of every test home
    """

    def __init__(self, path: Path, *, plugin: bool = True, environment: dict[str, str] | None = None) -> None:
        self.path = path
        self.plugin = plugin
        path.mkdir(parents=True, exist_ok=True)
        self._environment = dict(environment or {})
        self._server: subprocess.Popen[bytes] | None = None
        self._actor: subprocess.Popen[str] | None = None
        self.base_url = ""

    def copy(self, path: Path, **environment: str) -> Home:
        """Another device that starts from what this one has. Not while this one's server runs."""
        shutil.copytree(self.path, path)
        return Home(path, plugin=self.plugin, environment={**self._environment, **environment})

    def kolibri(self, *arguments: str) -> str:
        """Run ``kolibri ...`` on this device.

        :return: what it printed
        :raises CommandFailed: when it ends with another status than 0
        :raises subprocess.TimeoutExpired: when it does not end in :data:`COMMAND_DEADLINE`
        """
        return self._run([sys.executable, "-m", "kolibri", *arguments])

    def act(self, *acts: list[Any]) -> Any:
        """Do things on this device, by the functions of :mod:`tests.kolibri.acts`, in a process that stays.

        :param acts: the name of a function and its arguments, each
        :return: the result of the last one, as JSON gives it
        :raises CommandFailed: when one of them fails
        """
        if self._actor is None:
            self._actor = subprocess.Popen(
                [sys.executable, "-m", "tests.kolibri.acts"],
                env=self._env(),
                cwd=_PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        assert self._actor.stdin is not None
        assert self._actor.stdout is not None
        watchdog = threading.Timer(COMMAND_DEADLINE, self._actor.kill)
        watchdog.start()
        try:
            self._actor.stdin.write(json.dumps(acts) + "\n")
            self._actor.stdin.flush()
            answer = json.loads(self._actor.stdout.readline() or '{"error": "the process has ended"}')
        finally:
            watchdog.cancel()
        if "error" in answer:
            raise CommandFailed(["", "acts", json.dumps(acts)], -1, answer["error"])
        return answer["result"]

    def sync(self, hub: str, facility_id: str, user_id: str, username: str, *options: str) -> str:
        """``kolibri manage sync`` for one user of this device."""
        return self.kolibri(
            *("manage", "sync", "--baseurl", hub, "--facility", facility_id, "--noninteractive"),
            *("--user", user_id, "--username", username, "--password", PASSWORD),
            *options,
        )

    def sync_facility(self, hub: str, facility_id: str, admin: str, *options: str) -> str:
        """``kolibri manage sync`` for the whole facility."""
        return self.kolibri(
            *("manage", "sync", "--baseurl", hub, "--facility", facility_id, "--noninteractive"),
            *("--username", admin, "--password", PASSWORD),
            *options,
        )

    def start(self) -> str:
        """Start the server, and wait until it answers.

        :return: its base URL
        """
        log = (self.path / "server.log").open("ab")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "kolibri", "start", "--foreground", "--port", "0", "--zip-port", "0"],
            env=self._env(),
            cwd=_PROJECT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        deadline = time.monotonic() + READY_DEADLINE
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise CommandFailed(["", "kolibri", "start"], -1, (self.path / "server.log").read_text()[-4000:])
            time.sleep(0.1)
        return self.base_url

    def stop(self) -> None:
        """Stop the server and whatever it has started. Doing it twice is no harm."""
        server, self._server = self._server, None
        if server is None:
            return
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(timeout=20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(timeout=20)

    def close(self) -> None:
        """End every process of this device."""
        self.stop()
        actor, self._actor = self._actor, None
        if actor is not None:
            actor.kill()
            actor.communicate()

    def _answers(self) -> bool:
        try:
            lines = (self.path / "server.pid").read_text().split()
            self.base_url = f"http://127.0.0.1:{int(lines[1])}/"
            with urllib.request.urlopen(self.base_url + "api/public/info/", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, IndexError, ValueError, urllib.error.URLError):
            return False

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            env=self._env(),
            cwd=_PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_DEADLINE,
            text=True,
        )
        if done.returncode != 0:
            raise CommandFailed(command, done.returncode, done.stdout)
        return done.stdout

    def _env(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("KOLIBRI_", "MORANGO_", "DJANGO_"))
        }
        return {
            **inherited,
            "KOLIBRI_HOME": str(self.path),
            "KOLIBRI_LISTEN_ADDRESS": "127.0.0.1",
            "KOLIBRI_ZEROCONF_ENABLED": "false",
            "KOLIBRI_DISABLE_PING": "true",
            # Every home is a device of its own on the one machine.
            "MORANGO_SYSTEM_ID": self.path.name,
            **({"KOLIBRI_PLUGIN_ENABLE": PLUGIN} if self.plugin else {"KOLIBRI_PLUGIN_DISABLE": PLUGIN}),
            **self._environment,
        }
