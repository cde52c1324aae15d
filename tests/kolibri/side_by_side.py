"""The same school twice, with Kolibri's own course sessions and with course assignments, and a table of both.

``python -m tests.kolibri.side_by_side [--courses N]``: a class with four learner groups, N courses (default 5) for the
class and for each group. A learner of one group joins and then leaves the class; another coach than the one who made a
course changes its title on a device of their own. Real servers, ``kolibri manage sync``; a few minutes.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.kolibri.homes import CommandFailed, Home

GROUPS = ("red", "blue", "green", "gold")


class Way(NamedTuple):
    """One way to give courses to classes and groups.

    :param plugin: whether the devices have the plugin
    :param give: the act that gives a course: collection, title, coach
    :param rename: the act that changes a course's title
    :param author: who the hub says has given the course with this title
    :param models: the Morango models that its records are of
    """

    name: str
    plugin: bool
    give: Callable[[str, str, str], list[str]]
    rename: str
    author: Callable[[Home, str], str | None]
    models: tuple[str, ...]


WAYS = (
    Way(
        "CourseSession",
        False,
        lambda collection, title, coach: ["start_course", collection, title, coach],
        "rename_course",
        lambda hub, title: hub.act(["author_of_course", title]),
        ("coursesession", "coursesessionassignment", "unittestassignment"),
    ),
    Way(
        "course assignment",
        True,
        lambda collection, title, coach: ["assign", collection, title, coach],
        "rename",
        lambda hub, title: hub.act(["held"])["assignments"][title],
        ("courseassignment",),
    ),
)


class Outcome(NamedTuple):
    """What one way came to."""

    sent: int
    received: int
    pulled: str
    left: int
    author: str | None


def play(way: Way, folder: Path, courses: int) -> Outcome:
    """Let the story happen, in homes below this folder."""
    homes = {name: Home(folder / name, plugin=way.plugin) for name in ("hub", "tablet", "laptop")}
    hub, tablet, laptop = homes.values()
    try:
        for home in homes.values():
            home.kolibri("manage", "migrate", "--noinput")
        facility = hub.act(["make_facility", "Hillside"])
        hub.act(
            ["add_class", "A", *GROUPS],
            ["add_coach", "carol", "A"],
            ["add_coach", "dora", "A"],
            ["add_learner", "ada", "A", f"A/{GROUPS[0]}"],
            *(
                way.give(collection, f"{collection} {n}", "carol")
                for collection in ("A", *(f"A/{group}" for group in GROUPS))
                for n in range(courses)
            ),
        )
        ids = {name: hub.act(["user_id", name]) for name in ("ada", "dora")}
        url = hub.start()
        log = tablet.sync(url, facility["id"], ids["ada"], "ada", "--no-push")
        received = tablet.act(["rows", *way.models])
        laptop.sync(url, facility["id"], ids["dora"], "dora")
        author = _author_after_an_edit(way, hub, laptop, lambda: laptop.sync(url, facility["id"], ids["dora"], "dora"))
        hub.act(["withdraw", "ada", f"A/{GROUPS[0]}"], ["withdraw", "ada", "A"])
        tablet.sync(url, facility["id"], ids["ada"], "ada")
        return Outcome(
            sent=hub.act(["rows", *way.models]),
            received=received,
            # The line of the progress that says all of all.
            pulled=[f"{records}, {size}" for records, size in re.findall(r"\((\d+)/\1, ([^)]*)\)", log)][-1],
            left=tablet.act(["rows", *way.models]),
            author=author,
        )
    finally:
        for home in homes.values():
            home.close()


def _author_after_an_edit(way: Way, hub: Home, laptop: Home, sync: Callable[[], object]) -> str | None:
    try:
        laptop.act([way.rename, "A 0", "changed by dora"])
    except CommandFailed as failed:
        return f"the edit fails: {failed.output.strip().splitlines()[-1]}"
    sync()
    return way.author(hub, "changed by dora")


def main() -> None:
    """Play both ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--courses", type=int, default=5, help="for the class and for each of its four groups")
    courses = parser.parse_args().courses
    outcomes = []
    for way in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(play(way, Path(folder), courses))
    lines = [
        ("", *(way.name for way in WAYS)),
        ("records on the hub", *(str(outcome.sent) for outcome in outcomes)),
        ("of these on the learner's device", *(str(outcome.received) for outcome in outcomes)),
        ("the learner's first pull (records, bytes)", *(outcome.pulled for outcome in outcomes)),
        ("left on the device after leaving the class", *(str(outcome.left) for outcome in outcomes)),
        ("the hub's author after another coach's edit", *(str(outcome.author) for outcome in outcomes)),
    ]
    for line in lines:
        print("| " + " | ".join(line) + " |")


if __name__ == "__main__":
    main()
