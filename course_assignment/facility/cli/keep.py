"""Commands about what stays on this device: ``leave release audit quarantine``."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from course_assignment.facility.cli.command import device_command, json_option
from course_assignment.facility.cli.output import print_json, print_table
from course_assignment.facility.home import Home

_SHORT_ID = 8


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
@json_option
@device_command()
def audit(home: Home, as_json: bool) -> None:
    """Compare what is on this device with what its users may read: silent and 0, or a table and 1."""
    from course_assignment.facility.device import require_device
    from course_assignment.facility.models import PROFILE
    from morango_collection_sync.audit import audit as find_amiss

    findings = find_amiss(PROFILE, require_device(home))
    if as_json:
        print_json([finding.as_json() for finding in findings])
    elif findings:
        print_table(
            ("what", "partition", "count", "record", "reason"),
            [
                (finding.kind.value, finding.partition, finding.count, finding.record_id or "-", finding.reason)
                for finding in findings
            ],
        )
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
    if as_json:
        print_json(edits)
        return
    if not edits:
        click.echo("Nothing is in quarantine.")
        return
    names = collection_names(edit["collection_id"] for edit in edits)
    print_table(
        ("id", "edit", "collection", "since", "reason", "as edited here", "as it is now"),
        [
            (
                edit["id"][:_SHORT_ID],
                edit["kind"],
                names.get(edit["collection_id"], edit["collection_id"]),
                edit["quarantined_at"][:16],
                edit["reason_text"],
                _summary(edit["record"]),
                _summary(edit["current"]),
            )
            for edit in edits
        ],
    )


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
    _tell_decided(described, as_json, "is restored; the next sync carries it")


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
    _tell_decided(described, as_json, "is given up")


def _described(edit: Any) -> dict[str, Any]:
    from course_assignment.facility.device import usernames
    from morango_collection_sync.models import EditKind
    from morango_collection_sync.quarantine import current_version

    current = current_version(edit)
    return {
        "id": edit.id,
        "kind": edit.kind,
        "model": edit.model_name,
        "record_id": edit.record_id,
        "collection_id": edit.collection_id,
        "reason": edit.reason,
        "reason_text": edit.get_reason_display(),
        "writable_by": usernames(json.loads(edit.user_ids)),
        "quarantined_at": edit.quarantined_at.isoformat(),
        "record": None if edit.kind == EditKind.DELETION else json.loads(edit.serialized),
        "current": json.loads(current) if current else None,
    }


def _summary(record: dict[str, Any] | None) -> str:
    if record is None:
        return "not there"
    return f"{record.get('title', '')} ({'active' if record.get('is_active') else 'not active'})"


def _tell_decided(described: dict[str, Any], as_json: bool, what: str) -> None:
    if as_json:
        print_json(described)
    else:
        click.echo(f"The {described['kind']} {described['id'][:_SHORT_ID]} {what}.")


def _tell_released(released: Any, as_json: bool, first: str) -> None:
    from course_assignment.facility.explanations import collection_names
    from morango_collection_sync.partitions import parse_collection_partition

    records = {
        parse_collection_partition(partition).collection_id: count for partition, count in released.partitions.items()
    }
    if as_json:
        print_json({"released": records, "quarantined": released.quarantined})
        return
    if first:
        click.echo(first)
    names = collection_names(records)
    for collection_id, count in sorted(records.items()):
        click.echo(f"Released {names.get(collection_id, collection_id)}: {count} record(s).")
    if released.quarantined:
        click.echo(f"{released.quarantined} edit(s) went to quarantine.")
