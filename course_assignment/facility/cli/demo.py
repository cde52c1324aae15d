"""The command ``demo``."""

from __future__ import annotations

import click


@click.command()
def demo() -> None:
    """Show a hub and member devices at work, each a process of its own, over HTTP."""
    from course_assignment.facility.demo import run

    run()
