"""The command ``collection-sync``."""

from __future__ import annotations

import click

from course_assignment.facility.cli.assignments import activate, assign, deactivate, unassign
from course_assignment.facility.cli.command import Program
from course_assignment.facility.cli.demo import demo
from course_assignment.facility.cli.inspect import explain, show
from course_assignment.facility.cli.keep import audit, leave, quarantine, release
from course_assignment.facility.cli.roster import coach, enrol, group, import_users, init, withdraw
from course_assignment.facility.cli.sync import join, serve, sync
from morango_collection_sync import __version__


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="morango-collection-sync")
@click.option("--home", type=click.Path(), envvar="COLLECTION_SYNC_HOME", help="This device's folder.")
def main(home: str | None) -> None:
    """Course assignments that reach the devices of those they are for.

    A hub holds a facility (init, import-users, serve); member devices belong to its users (join, sync).
    """


for command in (
    init,
    import_users,
    group,
    assign,
    unassign,
    activate,
    deactivate,
    enrol,
    withdraw,
    coach,
    serve,
    join,
    sync,
    show,
    explain,
    leave,
    release,
    audit,
    quarantine,
    demo,
):
    main.add_command(command)
