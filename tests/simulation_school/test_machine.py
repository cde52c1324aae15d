"""The machine breaks no promise, and does everything: once from a fixed seed, once from one that is drawn and printed.

``SIMULATION_SEED`` names the second one.
"""

from __future__ import annotations

import os
import random

import pytest

from course_assignment.simulation.summary import Summary
from morango_collection_sync.simulation.databases import Databases
from tests.simulation_school import machine


def lived(databases: Databases, seed: int) -> Summary:
    """What a run has come to that breaks no promise."""
    summary = machine.live(databases, seed)
    if summary.broken is not None:
        pytest.fail(machine.told(databases, summary), pytrace=False)
    return summary


def test_no_promise_is_broken_and_every_rule_and_fault_happens(databases: Databases) -> None:
    assert lived(databases, machine.FIXED_SEED).never_ran(faults=True) == []


def test_no_promise_is_broken_whatever_the_seed(databases: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("SIMULATION_SEED") or random.SystemRandom().randrange(10**6))
    with capsys.disabled():
        print(f"\nthe machine's seed: SIMULATION_SEED={seed}")
    # Not each of them finds something to be done to each rule.
    assert lived(databases, seed).histories == machine.HISTORIES
