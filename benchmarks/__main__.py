"""Measures, and writes the results down.

``python -m benchmarks [--quick] [--database sqlite|postgresql]... [--page docs/performance.md]``

| option | default | what for |
|---|---|---|
| ``--quick`` | off | up to 100 collections and 8 devices: to see that it works |
| ``--database`` | both | where the hubs keep their data |
| ``--collections`` | 10 100 400 1000 10000 | how many collections a coach syncs |
| ``--stock-up-to`` | 1000 | the most collections with which stock is tried |
| ``--devices`` | 1 8 32 | how many devices sync at once |
| ``--page`` | docs/performance.md | whose tables and pictures are made anew |

Counts are exact. Seconds are of this machine and this run, and mean something only beside each other.
"""

from __future__ import annotations

import json
import platform
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.cases import classes_at_once, growth, small_syncs, timed
from benchmarks.page import goals, rewrite
from benchmarks.peer import OURS, STOCK
from benchmarks.pictures import draw
from benchmarks.processes import Place, PostgreSQL, postgresql

WORKERS = 4


@click.command()
@click.option("--quick", is_flag=True, help="Little of everything.")
@click.option("--database", "databases", multiple=True, type=click.Choice(["sqlite", "postgresql"]))
@click.option("--collections", "sizes", multiple=True, type=click.IntRange(1))
@click.option("--stock-up-to", default=1000, type=click.IntRange(1))
@click.option("--devices", multiple=True, type=click.IntRange(1, 32))
@click.option("--page", type=click.Path(path_type=Path), default=Path("docs/performance.md"))
def main(
    quick: bool,
    databases: tuple[str, ...],
    sizes: tuple[int, ...],
    stock_up_to: int,
    devices: tuple[int, ...],
    page: Path,
) -> None:
    """Measure ours beside stock."""
    databases = databases or ("sqlite", "postgresql")
    sizes = sizes or ((10, 100) if quick else (10, 100, 400, 1000, 10_000))
    devices = devices or ((1, 8) if quick else (1, 8, 32))
    results: dict[str, Any] = {"machine": _machine(), "small": [], "growth": [], "at_once": []}
    for database in databases:
        for way in (STOCK, OURS):
            _measure(results, database, way, [size for size in sizes if way == OURS or size <= stock_up_to], devices)
    if not quick:
        written = page.with_suffix("") / "results.json"
        written.parent.mkdir(exist_ok=True)
        written.write_text(json.dumps(results, indent=1) + "\n")
        draw(results, written.parent)
        rewrite(page, results)
    click.echo(goals(results))


def _measure(results: dict[str, Any], database: str, way: str, sizes: list[int], devices: tuple[int, ...]) -> None:
    say = partial(click.echo, err=True)
    key = {"database": database, "way": way}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server: PostgreSQL | None = stack.enter_context(postgresql(folder)) if database == "postgresql" else None
        with Place(way, folder, server) as place:
            for name, row in timed(partial(small_syncs, place, server), say, f"{database}, {way}, one device"):
                results["small"].append({**key, "case": name, **row})
        for size in sizes:
            with Place(way, folder, server) as place:
                what = f"{database}, {way}, {size} collections"
                for name, row in timed(partial(growth, place, server, size), say, what):
                    results["growth"].append({**key, "collections": size, "case": name, **row})
        with Place(way, folder, server) as place:
            what = f"{database}, {way}, many devices"
            for size, row in timed(partial(classes_at_once, place, WORKERS, devices), say, what):
                results["at_once"].append({**key, "devices": size, "workers": WORKERS, **row})


def _machine() -> dict[str, Any]:
    import os

    return {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.system()}


if __name__ == "__main__":
    main()
