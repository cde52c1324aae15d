"""The machine: hypothesis chooses what people do and what happens, and every promise is checked after every step.

Two runs: one of a fixed seed, in which every rule and every fault has to happen, and one of a seed that is drawn and
printed. ``SIMULATION_SEED`` names another seed for the second one.

``make test`` does not run it: too few of its rules happen in its bounds, which it counts as a failure.
``pytest tests/simulation_school/machine.py`` does.
"""

from __future__ import annotations

import os
import random
from typing import Any, ClassVar

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from course_assignment.simulation.actions import RULES, Action, Rule, run
from course_assignment.simulation.school import Knobs, School
from course_assignment.simulation.summary import Summary
from morango_collection_sync.simulation.databases import Databases

FIXED_SEED = 1
NUMBERS = st.integers(0, 999)

PROFILE = settings(
    max_examples=6,
    stateful_step_count=25,
    deadline=None,
    database=None,
    print_blob=False,
    # What it finds is shrunk by hypothesis; the rest of a budget is better spent on looking.
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class SchoolMachine(RuleBasedStateMachine):
    """A school; its rules are those of the simulation, each drawn as often as it weighs."""

    databases: ClassVar[Databases]
    summary: ClassVar[Summary]

    def __init__(self) -> None:
        super().__init__()
        self.school: School | None = None

    @initialize(seed=NUMBERS, users=st.tuples(NUMBERS, NUMBERS))
    def found(self, seed: int, users: tuple[int, int]) -> None:
        """A school with two devices."""
        self.school = School(self.databases, Knobs(seed=seed))
        self.school.__enter__()
        for number, user in enumerate(users):
            self.do(RULES["new_device"], number, user)

    def do(self, of: Rule, *numbers: int) -> None:
        """Do something, and check every promise."""
        assert self.school is not None
        action = Action(of.name, numbers)
        self.summary.did(self.school, action, run(self.school, action))

    def teardown(self) -> None:
        """At the end everybody syncs, and agrees."""
        if self.school is None:
            return
        try:
            self.school.settle()
            self.school.check()
        finally:
            self.school.__exit__(None, None, None)
            self.summary.lived(self.school)


def _add_rules() -> None:
    for of in RULES.values():
        # Hypothesis draws all rules alike; one that weighs more is there more than once.
        for copy in range(max(1, of.weight // 3)):
            parameters = {f"number_{number}": NUMBERS for number in range(of.numbers)}

            def step(self: SchoolMachine, of: Rule = of, **numbers: Any) -> None:
                self.do(of, *numbers.values())

            name = of.name if copy == 0 else f"{of.name}_{copy + 1}"
            step.__name__ = step.__qualname__ = name
            setattr(SchoolMachine, name, rule(**parameters)(step))


_add_rules()


def live(databases: Databases, seed: int) -> Summary:
    summary = Summary()
    machine = type("Machine", (SchoolMachine,), {"databases": databases, "summary": summary})
    # A seed is set on what runs the machine, and Hypothesis runs none of its own: it calls this.
    hypothesis.seed(seed)(machine)
    run_state_machine_as_test(machine, settings=PROFILE)
    return summary


def test_no_promise_is_broken_and_every_rule_and_fault_happens(databases: Databases) -> None:
    summary = live(databases, FIXED_SEED)
    assert summary.never_ran(faults=True) == []


def test_no_promise_is_broken_whatever_the_seed(databases: Databases, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("SIMULATION_SEED") or random.SystemRandom().randrange(10**6))
    with capsys.disabled():
        print(f"\nthe machine's seed: SIMULATION_SEED={seed}")
    live(databases, seed)
