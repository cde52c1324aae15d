"""Commands about what stays on this device: ``leave release audit quarantine``."""

from __future__ import annotations

import sys
from typing import Any

import click

from course_assignment.facility.cli.command import device_command, json_option
from course_assignment.facility.home import Home
from course_assignment.output import described_edit, print_decided, print_edits, print_findings, print_released


@click.command()
@click.argument("user")
@json_option
@device_command(only_one="sync")
def leave(home: Home, user: str, as_json: bool) -> None:
    """Make this device no longer one of USER's: drop the certificate, release what only USER may read."""
    from course_assignment.facility.leaving import leave as leave_device

    released = leave_device(user)
    _tell_released(released, as_json, f"{user} has left this device.")


@click.command()
@json_option
@device_command(only_one="sync")
def release(home: Home, as_json: bool) -> None:
    """Release what no user of this device may read any more, as the end of each pull does."""
    from course_assignment.facility.device import require_device
    from course_assignment.facility.models import PROFILE
    from morango_collection_sync.release import release_unreadable

    _tell_released(release_unreadable(PROFILE, require_device(home)), as_json, "")


@click.command()
@click.option("--mend", is_flag=True, help="Lower the counters that say more than is so, and tell which.")
@json_option
@device_command()
def audit(home: Home, mend: bool, as_json: bool) -> None:
    """Compare what is on this device with what its users may read: silent and 0, or a table and 1."""
    from course_assignment.facility.device import require_device
    from course_assignment.facility.models import PROFILE
    from morango_collection_sync.audit import audit as find_amiss
    from morango_collection_sync.poisoned_counters import find_poisoned_counters, mend_poisoned_counters

    dataset_id = require_device(home)
    mended = None
    if mend:
        with home.only_one("sync"):
            mended = mend_poisoned_counters(find_poisoned_counters(dataset_id))
    findings = find_amiss(PROFILE, dataset_id)
    print_findings(findings, as_json=as_json, mended=mended)
    if findings:
        sys.exit(1)


@click.group()
def quarantine() -> None:
    """Look at edits that could not be synced, and decide what becomes of them."""


@quarantine.command("list")
@json_option
@device_command()
def list_edits(home: Home, as_json: bool) -> None:
    """List the edits in quarantine, each with the record as it is here now."""
    from course_assignment.facility.explanations import collection_names
    from morango_collection_sync.models import QuarantinedEdit

    edits = [_described(edit) for edit in QuarantinedEdit.objects.order_by("quarantined_at", "id")]
    print_edits(edits, collection_names(edit["collection_id"] for edit in edits), as_json=as_json)


@quarantine.command("restore")
@click.argument("edit_id", metavar="ID")
@json_option
@device_command()
def restore_edit(home: Home, edit_id: str, as_json: bool) -> None:
    """Put the edit ID in the place of the record as it is; the next sync carries it."""
    from morango_collection_sync.quarantine import find_edit, restore

    edit = find_edit(edit_id)
    described = _described(edit)
    restore(edit)
    print_decided(described, "is restored; the next sync carries it", as_json=as_json)


@quarantine.command("discard")
@click.argument("edit_id", metavar="ID")
@json_option
@device_command()
def discard_edit(home: Home, edit_id: str, as_json: bool) -> None:
    """Give the edit ID up for good."""
    from morango_collection_sync.quarantine import discard, find_edit

    edit = find_edit(edit_id)
    described = _described(edit)
    discard(edit)
    print_decided(described, "is given up", as_json=as_json)


def _described(edit: Any) -> dict[str, Any]:
    from course_assignment.facility.device import usernames

    return described_edit(edit, usernames)


def _tell_released(released: Any, as_json: bool, first: str) -> None:
    from course_assignment.facility.explanations import collection_names
    from morango_collection_sync.partitions import parse_collection_partition

    if first and not as_json:
        click.echo(first)
    names = collection_names(parse_collection_partition(partition).collection_id for partition in released.partitions)
    print_released(released, names, as_json=as_json)
