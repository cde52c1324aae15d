"""What a person sees: bars and a hidden password on a terminal, plain lines elsewhere, names as they are."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Callable

import pytest

from tests.cli.homes import Home, Homes
from tests.cli.processes import PATIENCE, Serving
from tests.cli.schools import PASSWORD, course_id

ESCAPE = "\x1b["
STYLES = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(home: Home, *words: str, answer: Callable[[str], str | None] = lambda shown: None) -> tuple[int, str]:
    """Run a command on a terminal of its own; its exit status, and all that it showed.

    :param answer: what is typed, once, when it gives something for what has been shown so far
    """
    ours, its = pty.openpty()
    process = subprocess.Popen(
        home.command(*words),
        env={**home.environment, "TERM": "xterm"},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    shown, answered = "", False
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        while True:
            try:
                read = terminal.read(4096)
            except OSError:
                # The other end is closed: Linux says so in this way.
                break
            if not read:
                break
            shown += read.decode(errors="replace")
            typed = None if answered else answer(shown)
            if typed is not None:
                terminal.write(typed.encode() + b"\n")
                answered = True
    return process.wait(timeout=PATIENCE), shown


def test_terminal_shows_bars(homes: Homes, served: Serving) -> None:
    status, shown = on_terminal(homes.new("tablet"), "join", served.url, "--user", "lea", "--password", PASSWORD)

    assert status == 0, shown
    assert ESCAPE in shown
    assert re.search(r"Receiving +━+ +[0-9]+/[0-9]+", STYLES.sub("", shown))


def test_elsewhere_a_plain_line_tells_of_each_transfer(homes: Homes, served: Serving) -> None:
    outcome = homes.new("tablet").run("join", served.url, "--user", "lea", "--password", PASSWORD)

    lines = [" ".join(word for word in line.split() if not word.isdecimal()) for line in outcome.stderr.splitlines()]
    assert lines == ["Receiving: of records", "Sending: of records"]
    assert ESCAPE not in outcome.stdout + outcome.stderr


def test_password_is_asked_for_on_a_terminal_and_not_shown(homes: Homes, served: Serving) -> None:
    status, shown = on_terminal(
        homes.new("tablet"),
        *("join", served.url, "--user", "lea"),
        answer=lambda shown: PASSWORD if "Password for 'lea': " in shown else None,
    )

    assert status == 0, shown
    assert PASSWORD not in shown


def test_table_shows_who_assigned_what_and_that_a_course_is_not_here(small_school: Home) -> None:
    shown = small_school.do("show")

    (row,) = (line.split() for line in shown.splitlines() if " 4A 2 " in line)
    assert row[:5] == ["4A", "2", "4A", "no", "ana"]
    assert "not on this device yet" in " ".join(row)


@pytest.mark.parametrize(
    "name",
    ["[/bold] [red] :smile:", "Grün/Gelb", "कक्षा ४ " + "x" * 90],
    ids=["markup", "slash", "Hindi and long"],
)
def test_name_is_shown_and_found_as_it_is(hub: Home, name: str) -> None:
    hub.do("group", "4A", name)

    assert "is assigned" in hub.do("assign", f"4A/{name}", course_id(name), "--title", "Volcanoes")
    assert f"  4A/{name} " in hub.do("show")
