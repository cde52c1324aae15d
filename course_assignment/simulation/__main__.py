"""Let histories of a school happen, with every promise checked after every step.

    python -m course_assignment.simulation --seed 7 --steps 200

| knob | default | what it is |
|---|---|---|
| ``--seed N`` | drawn, and printed | of everything that is left to chance; the same seed gives the same histories |
| ``--steps M`` | 200 | how many things are done, over all histories together |
| ``--length L`` | 40 | how many things are done in one history |
| ``--devices D`` | 4 | member devices of a school, at most |
| ``--hubs H`` | 2 | its hubs |
| ``--faults RATE`` | 0.1 | the share of requests at which something goes wrong in a faulty sync; 0: no faults at all |
| ``--database KIND`` | sqlite | ``sqlite``: in memory; ``postgresql``: that of ``DATABASE_URL``, or its own |
| ``--seconds S`` | no limit | begin no history after so long, whatever ``--steps`` says |
| ``--replay FILE`` | | let the history in this file happen, and nothing else |
| ``--shrink N`` | 100 | how many shorter histories to try when a promise is broken; 0: none |

A history is a file of lines such as ``enrol 3 141 59``: the name of a rule and the numbers that it chose by. The exit
status is 1 when a promise is broken; the shrunk history is printed then, and the command that replays it.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from course_assignment.simulation.summary import Summary


@click.command(help="Let histories of a school happen, with every promise checked after every step.")
@click.option("--seed", type=int, help="Of all that is left to chance.  [default: drawn]")
@click.option("--steps", type=click.IntRange(1), default=200, show_default=True, help="Things done in all.")
@click.option("--length", type=click.IntRange(1), default=40, show_default=True, help="Things done in a history.")
@click.option("--devices", type=click.IntRange(1), default=4, show_default=True, help="Member devices at most.")
@click.option("--hubs", type=click.IntRange(1), default=2, show_default=True, help="Hubs.")
@click.option("--faults", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Per request.")
@click.option(
    "--database", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True, help="Its kind."
)
@click.option("--seconds", type=click.FloatRange(0), help="Begin no history after so long.  [default: no limit]")
@click.option("--replay", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Let this history happen.")
@click.option("--shrink", type=click.IntRange(0), default=100, show_default=True, help="Shorter histories to try.")
def main(
    seed: int | None,
    steps: int,
    length: int,
    devices: int,
    hubs: int,
    faults: float,
    database: str,
    seconds: float | None,
    replay: Path | None,
    shrink: int,
) -> None:
    """The command."""
    os.environ["SIMULATION_DATABASE"] = database
    os.environ["DJANGO_SETTINGS_MODULE"] = "course_assignment.simulation.settings"
    import django

    django.setup()
    from course_assignment.simulation.school import Knobs

    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    knobs = Knobs(seed=seed, devices=devices, hubs=hubs, faults=faults)
    summary = _run(knobs, steps, length, seconds, replay, shrink, database)
    sys.exit(1 if summary.broken is not None else 0)


def _run(
    knobs: object, steps: int, length: int, seconds: float | None, replay: Path | None, shrink: int, database: str
) -> Summary:
    from dataclasses import replace

    from django.core.management import call_command
    from rich.console import Console

    from course_assignment.simulation.promises import BrokenPromise
    from course_assignment.simulation.school import Knobs
    from course_assignment.simulation.summary import Summary, told_by
    from course_assignment.simulation.walk import history, live, parsed, shrunk
    from morango_collection_sync.simulation.databases import migrated_databases

    assert isinstance(knobs, Knobs)
    console = Console()
    summary = Summary()
    began = time.monotonic()
    with migrated_databases(lambda: call_command("loaddata", "scopedefinitions", verbosity=0)) as databases:
        with told_by(summary, console, steps) as told:
            seeds = iter(range(knobs.seed, knobs.seed + steps))
            while summary.broken is None and (summary.steps < steps or replay):
                if seconds is not None and time.monotonic() - began > seconds:
                    break
                here = replace(knobs, seed=next(seeds))
                actions = parsed(replay.read_text()) if replay else history(here.seed, length, faults=here.faults > 0)
                try:
                    summary.lived(live(databases, here, actions, told))
                except BrokenPromise as broken:
                    summary.broke(here, actions, broken)
                if replay:
                    break
        if summary.broken is not None and shrink:
            console.print(f"{summary.broken}; looking for a shorter history")
            summary.actions = shrunk(databases, summary.knobs, summary.actions, summary.broken.promise, shrink)
    summary.seconds = time.monotonic() - began
    summary.print(console, database)
    return summary


if __name__ == "__main__":
    main()
