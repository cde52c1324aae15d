"""What the commands of every host print: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from morango_collection_sync.explain import Explanation
from morango_collection_sync.partitions import parse_collection_partition

if TYPE_CHECKING:
    # Django's models, which can only be imported once there are settings.
    from course_assignment.syncing import Aftermath, UserSync

SHORT_ID = 8
"""How many hex digits of an id a table shows; commands take as many."""

Names = Callable[[list[str]], list[str]]
"""What users or collections are called, by their ids, in that order."""


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


def print_explanations(explanations: Iterable[Explanation], username: str, *, as_json: bool) -> None:
    """Print why a user's devices do or do not get collections."""
    if as_json:
        print_json([explanation.as_json() for explanation in explanations])
        return
    print_table(
        ("collection", "reads", "writes", "because"),
        [
            (
                explanation.name,
                "yes" if explanation.read else "no",
                "yes" if explanation.write else "no",
                "; ".join(explanation.because),
            )
            for explanation in explanations
        ],
        title=f"{username}, by what this device knows",
    )


def print_findings(findings: Sequence[Any], *, as_json: bool, mended: Sequence[Any] | None = None) -> None:
    """Print what an audit has found, in a table only when there is something, and before it what was mended.

    :param findings: each a :class:`morango_collection_sync.audit.Finding`
    :param mended: each a :class:`morango_collection_sync.poisoned_counters.PoisonedCounter`; None where nothing was
        to be mended
    """
    listed = [finding.as_json() for finding in findings]
    if as_json:
        if mended is None:
            print_json(listed)
        else:
            print_json({"mended": [counter.as_json() for counter in mended], "findings": listed})
        return
    if mended:
        print_table(
            ("partition", "of instance", "counter", "mended to", "because"),
            [
                (
                    _printable(counter.partition),
                    counter.instance_id,
                    counter.counter,
                    "none" if counter.mended is None else f"{counter.mended:,}",
                    counter.reason.value,
                )
                for counter in mended
            ],
            title="Counters that were mended",
        )
    if findings:
        print_table(
            ("what", "partition", "count", "record", "reason"),
            [
                (
                    finding.kind.value,
                    _printable(finding.partition),
                    finding.count,
                    finding.record_id or "-",
                    finding.reason,
                )
                for finding in findings
            ],
        )


def print_synced(
    base_url: str, done: Sequence[UserSync], left: Aftermath, *, as_json: bool, quarantine_command: str
) -> None:
    """Print what a sync with a hub did for each user of this device, and what it has left there.

    :param base_url: of the hub
    :param quarantine_command: what lists the edits in quarantine
    """
    if as_json:
        print_json({"hub": base_url, "users": [each.as_json() for each in done], **left.as_json()})
        return
    if not done:
        return
    print_table(
        ("user", "pulled", "pushed", "requests", "bytes down", "bytes up", "collections"),
        [
            (
                each.user or "(the facility)",
                each.report.records(push=False),
                each.report.records(push=True),
                each.report.requests,
                each.report.bytes_received,
                each.report.bytes_sent,
                ", ".join(each.collections) or "-",
            )
            for each in done
        ],
        title=f"Synced with {base_url}",
    )
    for name, records in sorted(left.released.items()):
        click.echo(f"Released {name}: {records} record(s), which no user of this device may read any more.")
    if left.restored:
        click.echo(f"{left.restored} edit(s) came back from quarantine.")
    if left.quarantine:
        click.echo(f"{left.quarantine} edit(s) are in quarantine; see: {quarantine_command}")
    for record in left.undelivered:
        click.echo(f"Record {record.record_id} could not be applied yet: {record.reason}")


def print_released(released: Any, names: Mapping[str, str], *, as_json: bool) -> None:
    """Print what a release took away.

    :param released: a :class:`morango_collection_sync.release.Released`
    :param names: what the collections are called, by id, where that is known
    """
    records = {
        parse_collection_partition(partition).collection_id: count for partition, count in released.partitions.items()
    }
    if as_json:
        print_json({"released": records, "quarantined": released.quarantined})
        return
    for collection_id, count in sorted(records.items()):
        click.echo(f"Released {names.get(collection_id, collection_id)}: {count} record(s).")
    if released.quarantined:
        click.echo(f"{released.quarantined} edit(s) went to quarantine.")


def print_edits(edits: Sequence[Mapping[str, Any]], names: Mapping[str, str], *, as_json: bool) -> None:
    """Print the edits in quarantine.

    :param edits: as :func:`described_edit` gives them
    :param names: what the collections are called, by id, where that is known
    """
    if as_json:
        print_json(list(edits))
        return
    if not edits:
        click.echo("Nothing is in quarantine.")
        return
    print_table(
        ("id", "edit", "collection", "since", "reason", "as edited here", "as it is now"),
        [
            (
                edit["id"][:SHORT_ID],
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


def print_decided(edit: Mapping[str, Any], what: str, *, as_json: bool) -> None:
    """Print what has become of an edit in quarantine.

    :param edit: as :func:`described_edit` gives it
    :param what: the rest of a sentence about it
    """
    if as_json:
        print_json(edit)
    else:
        click.echo(f"The {edit['kind']} {edit['id'][:SHORT_ID]} {what}.")


def described_edit(edit: Any, usernames: Names) -> dict[str, Any]:
    """An edit in quarantine as JSON values, with the record as it is here now.

    :param edit: a :class:`morango_collection_sync.models.QuarantinedEdit`
    """
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


def _printable(partition: str) -> str:
    # What a peer has made up may hold what moves a terminal's cursor.
    return partition if partition.isprintable() else ascii(partition)


def _summary(record: Mapping[str, Any] | None) -> str:
    if record is None:
        return "not there"
    return f"{record.get('title', '')} ({'active' if record.get('is_active') else 'not active'})"
