"""What is said of a broken promise: the shrunk history, and the command that lets it happen again."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from course_assignment.simulation.promises import BrokenPromise
from course_assignment.simulation.summary import HISTORY_FILE
from course_assignment.simulation.walk import live, parsed
from morango_collection_sync.simulation.databases import Databases
from tests.simulation_school import machine
from tests.simulation_school.plants import PLANTS


def test_broken_promise_is_told_with_a_short_history_that_breaks_it_again(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with PLANTS["never_releases"]():
        summary = machine.live(databases, machine.FIXED_SEED, first=["left_and_returned"])
        before = len(summary.actions)
        output = machine.told(databases, summary)
        history = parsed(Path(HISTORY_FILE).read_text())
        with pytest.raises(BrokenPromise, match="P1"):
            live(databases, summary.knobs, history)
    assert "P1 (confinement) is broken on tablet-" in output
    assert 0 < len(history) < before
    assert all(str(action) in output for action in history)
    command = shlex.split(output.strip().splitlines()[-1])
    assert command[:3] == ["python", "-m", "course_assignment.simulation"]
    assert command[-4:] == ["--database", databases.vendor, "--replay", HISTORY_FILE]
    assert f"--seed {summary.knobs.seed} " in output
