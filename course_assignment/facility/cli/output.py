"""Printing: tables for people, JSON for programs, bars on a terminal and plain lines elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text


def print_json(value: Any) -> None:
    """Print a result as JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """Print rows under these columns; numbers stand right."""
    # Text rather than str: a name such as "[/]" or ":smile:" is itself, not a style or a picture.
    table = Table(box=SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left", title_style="bold")
    listed = [list(row) for row in rows]
    for index, column in enumerate(columns):
        numeric = bool(listed) and all(isinstance(row[index], int) for row in listed)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    # A file or a pipe has no width: give it one that no table of ours wraps in.
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(table)


class TransferProgress:
    """Shows transfers on standard error as they move: bars on a terminal, a line for each elsewhere."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=self._console
        )
        self._tasks: dict[str, Any] = {}
        self._told: set[str] = set()

    def __enter__(self) -> TransferProgress:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def __call__(self, transfer_session: Any, **kwargs: Any) -> None:
        """Take notice of a transfer session that has moved."""
        total = transfer_session.records_total or 0
        done = min(transfer_session.records_transferred or 0, total)
        what = "Sending" if transfer_session.push else "Receiving"
        if self._console.is_terminal:
            if transfer_session.id not in self._tasks:
                self._tasks[transfer_session.id] = self._bars.add_task(what, total=total)
            self._bars.update(self._tasks[transfer_session.id], completed=done, total=total)
        elif done == total and transfer_session.id not in self._told:
            self._told.add(transfer_session.id)
            click.echo(f"{what}: {done} of {total} records", err=True)
