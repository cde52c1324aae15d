"""The machine: hypothesis chooses what people do and what happens, and every promise is checked after every step.

Each history begins with people who have something to lose. From then on, what has not happened in it yet goes first:
of the rules that are due, in an order that is the history's own, the next few are there to be chosen. One that finds
nothing to act on stays due, and so do the rules of faults, until each kind of fault has happened. A history has more
steps than there are rules.
"""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from enum import Enum
from typing import Any, ClassVar

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from rich.console import Console

from course_assignment.simulation.actions import RULES, Action, run
from course_assignment.simulation.promises import BrokenPromise
from course_assignment.simulation.school import Knobs, School
from course_assignment.simulation.summary import Summary
from course_assignment.simulation.walk import history, shrunk
from morango_collection_sync.simulation.databases import Databases
from morango_collection_sync.simulation.faults import Moment, RequestFault

FIXED_SEED = 1

HISTORIES = 1
STEPS = len(RULES) + 25
SHORTER_HISTORIES = 12
TO_CHOOSE_FROM = 6
BEGINNING = 9
NUMBERS = st.integers(0, 999)

KINDS: dict[str, type[Enum]] = {"broken_sync": RequestFault, "killed_sync": Moment}
"""The rules that are due until each kind of fault has happened."""

PROFILE = settings(
    max_examples=HISTORIES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    # What is found is shrunk, and told, as the command does it: that leaves a file which lets it happen again.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class SomethingBroken(BaseException):
    """Ends the run at once. Hypothesis would let a history that fails happen again."""


class SchoolMachine(RuleBasedStateMachine):
    """A school; its rules are those of the simulation."""

    databases: ClassVar[Databases]
    summary: ClassVar[Summary]
    seed: ClassVar[int]
    first: ClassVar[Sequence[str]]

    def __init__(self) -> None:
        super().__init__()
        self.school: School | None = None
        self.due: list[str] = []
        self.actions: list[Action] = []

    @initialize(number=NUMBERS)
    def found(self, number: int) -> None:
        """A school, some of whose people have devices and assignments."""
        knobs = Knobs(seed=self.seed * 1000 + number)
        self.chance = random.Random(f"machine {knobs.seed}")
        self.due = self.chance.sample(sorted(RULES), len(RULES))
        self.due.sort(key=lambda name: name not in self.first)
        self.school = School(self.databases, knobs)
        self.school.__enter__()
        for action in history(knobs.seed, BEGINNING, faults=True):
            self.do(action)

    @rule(choice=NUMBERS, numbers=st.tuples(*[NUMBERS] * max(of.numbers for of in RULES.values())))
    def step(self, choice: int, numbers: tuple[int, ...]) -> None:
        """One of the rules that may come next.

        There is one step for all of them: hypothesis leaves some of a machine's rules out of each history.
        """
        wanted = [each for each in self.first if each in self.due][:1] or self.due[:TO_CHOOSE_FROM] or sorted(RULES)
        # Hypothesis likes simple numbers, and those of one history would be all alike.
        choice, *mixed = ((each + self.chance.randrange(1000)) % 1000 for each in (choice, *numbers))
        of = RULES[wanted[choice % len(wanted)]]
        self.do(Action(of.name, tuple(mixed[: of.numbers])))

    def do(self, action: Action) -> None:
        """Do something, and check every promise."""
        assert self.school is not None
        self.actions.append(action)
        with self.noticing():
            done = run(self.school, action)
        self.summary.did(self.school, action, done)
        if action.rule in self.due and not self.is_open(action.rule):
            self.due.remove(action.rule)
            if not done:
                self.due.append(action.rule)

    def is_open(self, name: str) -> bool:
        """Whether a rule is of faults of which one has not happened yet."""
        assert self.school is not None
        return name in KINDS and any(not self.school.happened[kind] for kind in KINDS[name])

    def teardown(self) -> None:
        """At the end everybody syncs, and agrees."""
        if self.school is None:
            return
        try:
            if self.summary.broken is None:
                with self.noticing():
                    self.school.settle()
                    self.school.check()
        finally:
            self.school.__exit__(None, None, None)
            self.summary.lived(self.school)

    def noticing(self) -> Noticing:
        """Where a promise may break."""
        return Noticing(self)


class Noticing:
    """Writes down a broken promise, and ends the run."""

    def __init__(self, machine: SchoolMachine) -> None:
        self.machine = machine

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, BrokenPromise):
            assert self.machine.school is not None
            self.machine.summary.broke(self.machine.school.knobs, self.machine.actions, error)
            raise SomethingBroken from error


def live(databases: Databases, seed: int, first: Sequence[str] = ()) -> Summary:
    """Let the machine run, to its end or to the first broken promise.

    :param first: rules that go before all others, in this order
    """
    summary = Summary()
    members = {"databases": databases, "summary": summary, "seed": seed, "first": tuple(first)}
    machine = type("Machine", (SchoolMachine,), members)
    # A seed is set on what runs the machine, and Hypothesis runs none of its own: it calls this.
    hypothesis.seed(seed)(machine)
    try:
        run_state_machine_as_test(machine, settings=PROFILE)
    except SomethingBroken:
        assert summary.broken is not None
    return summary


def told(databases: Databases, summary: Summary) -> str:
    """What is said of a broken promise."""
    assert summary.broken is not None
    summary.actions = shrunk(databases, summary.knobs, summary.actions, summary.broken.promise, SHORTER_HISTORIES)
    out = io.StringIO()
    summary.print(Console(file=out, width=120), databases.vendor)
    return out.getvalue()
