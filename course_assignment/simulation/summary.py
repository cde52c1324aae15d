"""What a run has come to: how often each rule and each fault ran, and what was broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from course_assignment.simulation.actions import RULES, Action
from course_assignment.simulation.promises import BrokenPromise
from course_assignment.simulation.school import Knobs, School
from morango_collection_sync.simulation.faults import Moment, RequestFault

HISTORY_FILE = "broken-history.txt"

Told = Callable[[School, Action, bool], None]


class Summary:
    """Counts over several histories."""

    def __init__(self) -> None:
        self.histories = 0
        self.steps = 0
        self.seconds = 0.0
        self.rules: Counter[str] = Counter()
        self.syncs: Counter[str] = Counter()
        self.faults: Counter[Any] = Counter()
        self.failures: Counter[str] = Counter()
        self.broken: BrokenPromise | None = None
        self.knobs = Knobs()
        self.actions: Sequence[Action] = ()

    def did(self, school: School, action: Action, done: bool) -> None:
        """Something was done, or found nothing to be done to."""
        self.steps += 1
        if done:
            self.rules[action.rule] += 1

    def lived(self, school: School) -> None:
        """A history has happened to its end."""
        self.histories += 1
        self.count(school)

    def count(self, school: School) -> None:
        """Take over what a school has counted."""
        self.syncs.update(school.syncs)
        for what, number in school.happened.items():
            (self.failures if isinstance(what, str) else self.faults)[what] += number

    def broke(self, knobs: Knobs, actions: Sequence[Action], broken: BrokenPromise) -> None:
        """A history has broken a promise."""
        self.knobs, self.actions, self.broken = knobs, actions, broken

    def never_ran(self, *, faults: bool) -> list[str]:
        """The names of rules and faults that never ran."""
        rules = [rule.name for rule in RULES.values() if (faults or not rule.faulty) and not self.rules[rule.name]]
        kinds = [*RequestFault, *Moment] if faults else []
        return rules + [kind.value for kind in kinds if not self.faults[kind]]

    def print(self, console: Console, database: str) -> None:
        """Print all of it."""
        console.print(
            f"{self.histories} histories, {self.steps} steps, {self.syncs['completed'] + self.syncs['failed']} syncs "
            f"on {database} in {self.seconds:.0f} s: "
            + ", ".join(f"{number} {what}" for what, number in sorted(self.syncs.items()))
        )
        for title, counts in (("rule", self.rules), ("fault", self.faults), ("failed sync", self.failures)):
            if counts:
                table = Table(title, "times")
                for what, number in counts.most_common():
                    table.add_row(what if isinstance(what, str) else what.value, str(number))
                console.print(table)
        if self.broken is None:
            console.print("No promise was broken.")
            return
        Path(HISTORY_FILE).write_text("".join(f"{action}\n" for action in self.actions))
        console.print(str(self.broken), style="bold red", markup=False)
        for action in self.actions:
            console.print(f"  {action}", markup=False)
        knobs = self.knobs
        console.print(
            f"python -m course_assignment.simulation --seed {knobs.seed} --devices {knobs.devices} --hubs {knobs.hubs} "
            f"--faults {knobs.faults} --database {database} --replay {HISTORY_FILE}",
            soft_wrap=True,
        )


@contextmanager
def told_by(summary: Summary, console: Console, steps: int) -> Iterator[Told]:
    """Count what is done, and show it as it goes on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("steps", total=steps)

        def told(school: School, action: Action, done: bool) -> None:
            summary.did(school, action, done)
            progress.update(task, advance=1, description=f"seed {school.knobs.seed}: {action.rule}")

        yield told
