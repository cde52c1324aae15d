"""Histories: drawn from a seed, read from a file, shrunk."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from course_assignment.simulation.actions import Action
from course_assignment.simulation.school import Knobs
from course_assignment.simulation.walk import history, live, parsed, shrink
from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.trace import Trace

SMALL = Knobs(seed=5, devices=2, users=2, courses=2, faults=0.3)


def test_one_seed_draws_one_history() -> None:
    assert history(7, 30, faults=True) == history(7, 30, faults=True)
    assert history(7, 30, faults=True) != history(8, 30, faults=True)


def test_history_without_faults_has_no_faulty_rules() -> None:
    assert not any("faulty" in action.rule for action in history(7, 200, faults=False))


def test_history_is_read_as_it_is_written() -> None:
    actions = history(7, 30, faults=True)
    assert parsed("".join(f"{action}\n" for action in actions)) == actions


def test_unknown_rule_is_named() -> None:
    with pytest.raises(KeyError, match="fly"):
        parsed("fly 1 2\n")


def test_shrinking_leaves_what_is_needed() -> None:
    actions = [Action("sync", (number, 0)) for number in range(20)]
    needed = {actions[3], actions[17]}

    def still_broken(shorter: Sequence[Action]) -> bool:
        return needed <= set(shorter)

    assert set(shrink(actions, still_broken)) == needed


def test_shrinking_ends_after_its_tries() -> None:
    asked: list[int] = []

    def still_broken(shorter: Sequence[Action]) -> bool:
        asked.append(len(shorter))
        return False

    shrink([Action("sync", (0, 0))] * 50, still_broken, tries=7)
    assert len(asked) == 7


def test_same_seed_gives_the_same_history_of_requests_faults_and_kills(databases: Databases) -> None:
    def trace() -> Trace:
        names = ("coach 0 0 0", "new_device 0 0", "assign 0 0", "assign 5 1", *(["faulty_sync 0 0"] * 5))
        return live(databases, SMALL, parsed("\n".join(names))).network.trace

    first = trace()
    assert any(event.fault for event in first.events)
    assert first == trace()
