"""``demo``, as a newcomer types it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.homes import Home
from tests.cli.processes import PROGRAM

PATIENCE = 600
"""Seconds, many times as many as it takes: how long is told by :data:`MOST_WORK`, on a busy machine too."""

MOST_WORK = 60
"""Seconds of processor time, its processes' together: it ends within a minute then, on a single processor even."""


@contextmanager
def demo(variables: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The demonstration in a session and process group of its own, of which nobody is left in the end."""
    process = subprocess.Popen(
        [*PROGRAM, "demo"],
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def work_of_children() -> float:
    """Seconds of processor time of the processes that this one has started and that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_demo_ends_within_a_minute_and_leaves_no_file_and_no_process(tablet: Home, tmp_path: Path) -> None:
    # Whatever database this machine's devices use: the demonstration keeps to files of its own.
    variables = {
        **tablet.environment,
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
    }
    before = work_of_children()
    with demo(variables) as process:
        shown, said = process.communicate(timeout=PATIENCE)

        assert (process.returncode, said) == (0, "")
        for device in ("hub", "Amina", "Badru", "Tendai", "Chipo and Dalia", "a full-facility sync"):
            assert device in shown
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    assert work_of_children() - before < MOST_WORK
