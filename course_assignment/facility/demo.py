"""The demonstration: a school's hub and its member devices, each a process with a home of its own, over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from course_assignment.facility.cli.output import print_table
from course_assignment.facility.home import Home

PASSWORD = "demo"
ASSIGNMENTS_EACH = 20
_WAIT_SECONDS = 60


@dataclass
class DemoDevice:
    """A device of the demonstration.

    :param name: what it is called in the tables
    :param home: its folder
    :param users: who syncs with it
    """

    name: str
    home: Path
    users: Sequence[str]
    bytes_received: int = 0
    records: int = field(default=0)

    def run(self, *words: str) -> Any:
        """Run a command of this program on the device, as a process of its own; what it prints, from JSON."""
        command = [sys.executable, "-m", "course_assignment.facility", *words, "--home", str(self.home), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WAIT_SECONDS, check=False)
        if done.returncode:
            raise click.ClickException(f"{' '.join(words)} on {self.name}: {(done.stderr or done.stdout).strip()}")
        return json.loads(done.stdout)

    def join(self, url: str) -> None:
        """Join the hub for each user."""
        for user in self.users:
            self._count(self.run("join", url, "--user", user, "--password", PASSWORD))

    def sync(self) -> Any:
        """Sync with the hub for each user; what that did."""
        result = self.run("sync")
        self._count(result)
        return result

    def held(self) -> dict[str, int]:
        """How many records it holds of each collection."""
        return {held["name"]: held["records"] for held in self.run("show")["collections"]}

    def _count(self, result: Any) -> None:
        self.records += sum(user["pulled"] for user in result["users"])
        self.bytes_received += sum(user["bytes_received"] for user in result["users"])


def run() -> None:
    """Play the demonstration in a temporary folder, and leave nothing behind."""
    # Each device has a file in the folder, whatever database the devices of this machine use else.
    os.environ.pop("DATABASE_URL", None)
    with tempfile.TemporaryDirectory(prefix="collection-sync-demo-") as folder:
        root = Path(folder)
        _say("A hub: one school, five classes, a group in Grade 4A.")
        hub = DemoDevice("hub", root / "hub", ())
        _make_school(Home(hub.home))
        with _served(hub.home) as url:
            _play(hub, root, url)


def _play(hub: DemoDevice, root: Path, url: str) -> None:
    amina = DemoDevice("Amina, learner of 4A", root / "amina", ["amina"])
    badru = DemoDevice("Badru, of 4A and its group Reds", root / "badru", ["badru"])
    tendai = DemoDevice("Tendai, coach of 4A and 4B", root / "tendai", ["tendai"])
    shared = DemoDevice("Chipo and Dalia, of 4B and 5A", root / "shared", ["chipo", "dalia"])
    members = [amina, badru, tendai, shared]

    _say(f"Four member devices join it over HTTP at {url}, each a process with a home of its own.")
    _all(members, lambda device: device.join(url))
    _table([hub, *members])

    _say("Tendai assigns a course to 4B and hides one of 4A, offline; then all sync.")
    tendai.run("assign", "Grade 4B", "f" * 32, "--title", "Volcanoes", "--active")
    hidden = tendai.run("show")["assignments"][0]
    tendai.run("deactivate", hidden["collection_id"], hidden["course"])
    tendai.sync()
    _all([amina, badru, shared], DemoDevice.sync)
    _table([hub, *members])
    volcanoes = [a for a in shared.run("show")["assignments"] if a["title"] == "Volcanoes"]
    author = hub.run("explain", "tendai", "Grade 4B")[0]["because"][0]
    assigned_by = volcanoes[0]["assigned_by"]
    click.echo(f"Volcanoes came to the shared device, assigned by {assigned_by}, whom it does not know ({author}).")

    _say("Badru changes class on the hub, from 4A with its Reds to 5A; he syncs.")
    hub.run("withdraw", "badru", "Grade 4A")
    hub.run("enrol", "badru", "Grade 5A")
    released = badru.sync()["released"]
    _table([hub, badru])
    click.echo(f"Released from his device: {', '.join(f'{name} ({count})' for name, count in released.items())}.")
    click.echo(f"audit on his device: {'silent' if badru.run('audit') == [] else 'something is amiss'}.")

    _say("He changes back, and syncs.")
    hub.run("withdraw", "badru", "Grade 5A")
    hub.run("enrol", "badru", "Grade 4A")
    hub.run("enrol", "badru", "Grade 4A/Reds")
    badru.sync()
    _table([hub, badru])

    _say("Beside it: what a device receives that syncs the whole facility.")
    full = DemoDevice("a full-facility sync", root / "full", [])
    full._count(full.run("join", url, "--user", "head", "--password", PASSWORD, "--full-facility"))
    print_table(
        ("device", "records received", "bytes received", "of the full facility"),
        [
            (
                device.name,
                device.records,
                device.bytes_received,
                f"{100 * device.bytes_received / full.bytes_received:.0f} % of the bytes",
            )
            for device in [*members, full]
        ],
    )


def _table(devices: Sequence[DemoDevice]) -> None:
    held = dict(zip((device.name for device in devices), _all(devices, DemoDevice.held)))
    collections = sorted({name for records in held.values() for name in records})
    print_table(
        ("records of", *collections),
        [(name, *(str(records.get(collection, "-")) for collection in collections)) for name, records in held.items()],
    )


def _all(devices: Sequence[DemoDevice], do: Any) -> list[Any]:
    with ThreadPoolExecutor(max_workers=len(devices)) as pool:
        return list(pool.map(do, devices))


@contextmanager
def _served(home: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "course_assignment.facility", "serve", "--port", "0", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            address = next((word for word in line.split() if word.startswith("http://")), None)
            if address is None:
                raise click.ClickException("the hub did not start")
            yield address
        finally:
            process.terminate()


def _make_school(home: Home) -> None:
    home.activate()
    home.prepare()
    # Django has its database now; what needs models can be imported.
    from course_assignment.facility import roster
    from course_assignment.facility.assignments import CourseInfo, assign
    from course_assignment.facility.lookup import find_collection, find_user
    from course_assignment.facility.models import Collection, CollectionKind
    from course_assignment.facility.user_export import parse_export
    from course_assignment.facility.user_import import UserImport

    facility = roster.create_facility("Hillside Primary", "head", PASSWORD)
    UserImport(facility, PASSWORD).run(parse_export(_school_export(), "the school of the demonstration"))
    roster.create_group(find_collection("Grade 4A"), "Reds", [find_user("badru")])
    coach = find_user("tendai")
    number = 0
    for collection in Collection.objects.exclude(kind=CollectionKind.FACILITY).order_by("lft"):
        for _ in range(ASSIGNMENTS_EACH):
            number += 1
            by = coach if collection.name in ("Grade 4A", "Grade 4B", "Reds") else None
            info = CourseInfo(f"Course {number}", channel_id=f"{1:032x}", channel_version=1)
            # All but one of each collection, so that an offline coach has room under the limit.
            assign(collection, f"{number:032x}", info, by, active=number % ASSIGNMENTS_EACH != 0)


def _school_export() -> str:
    header = "UUID,USERNAME,PASSWORD,FULL_NAME,USER_TYPE,IDENTIFIER,BIRTH_YEAR,GENDER,ENROLLED_IN,ASSIGNED_TO"
    people = [
        ("amina", "LEARNER", "Grade 4A", ""),
        ("badru", "LEARNER", "Grade 4A", ""),
        ("chipo", "LEARNER", "Grade 4B", ""),
        ("dalia", "LEARNER", "Grade 5A", ""),
        ("tendai", "CLASS_COACH", "", "Grade 4A,Grade 4B"),
        # The rest of the school, which a full-facility sync carries to everybody.
        *((f"learner{number}", "LEARNER", f"Grade {4 + number % 3}B", "") for number in range(200)),
    ]
    rows = [
        f',{name},*,{name.title()},{user_type},,,,"{enrolled}","{assigned}"'
        for name, user_type, enrolled, assigned in people
    ]
    return "\n".join([header, *rows])


def _say(sentence: str) -> None:
    click.echo()
    click.secho(sentence, bold=True)
