"""Transfers as they move: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


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
