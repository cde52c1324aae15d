"""Commands that talk to other devices: ``serve join sync``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from course_assignment.facility.cli.command import device_command, json_option, password_for
from course_assignment.facility.cli.output import TransferProgress
from course_assignment.facility.home import Home
from course_assignment.output import print_synced


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 answers other devices.")
@click.option("--port", default=8008, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@device_command(only_one="serve")
def serve(home: Home, host: str, port: int) -> None:
    """Answer the sync sessions of other devices until stopped."""
    from course_assignment.facility.device import require_hub
    from course_assignment.facility.server import Server

    facility = require_hub("answering sync sessions")
    server = Server(host, port)
    server.run(lambda: click.echo(f"Serving {facility.name} at {server.url} (Ctrl-C stops)."))


@click.command()
@click.argument("url")
@click.option("--user", "username", required=True, help="A user of the hub's facility.")
@click.option("--password", help="The user's password there; asked for when not given.")
@click.option("--full-facility", is_flag=True, help="Become a second hub; the user must be the facility's admin.")
@json_option
@device_command(new_home=True, only_one="sync")
def join(home: Home, url: str, username: str, password: str | None, full_facility: bool, as_json: bool) -> None:
    """Make this home a device of the hub at URL for a user, and sync; again for a second user."""
    from course_assignment.facility.hubs import Hub
    from course_assignment.facility.joining import join as join_hub
    from course_assignment.facility.joining import require_joinable
    from course_assignment.facility.usernames import require_username

    require_joinable(home, full_facility=full_facility)
    require_username(username)
    secret = password_for(repr(username), password)
    with TransferProgress() as progress, Hub(url, progress) as hub:
        certificate = join_hub(hub, username, secret, home, full_facility=full_facility)
        _sync(hub, [certificate], as_json)


@click.command()
@click.argument("url", required=False)
@json_option
@device_command(only_one="sync")
def sync(home: Home, url: str | None, as_json: bool) -> None:
    """Pull and push for every user of this device, with the hub at URL or the last one."""
    from course_assignment.facility.hubs import Hub
    from course_assignment.facility.syncing import device_certificates, last_hub

    with TransferProgress() as progress, Hub(url or last_hub(), progress) as hub:
        _sync(hub, device_certificates(), as_json)


def _sync(hub: Any, certificates: Iterable[Any], as_json: bool) -> None:
    from course_assignment.facility.syncing import left_behind, sync_all

    done = []
    try:
        for user_sync in sync_all(hub, certificates):
            done.append(user_sync)
    finally:
        # What was done before something failed is done, and told.
        print_synced(
            hub.base_url, done, left_behind(done), as_json=as_json, quarantine_command="collection-sync quarantine list"
        )
