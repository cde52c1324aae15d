"""``kolibri manage collectionsync``, with the commands and the output of the embedded host."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, TypeVar

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser
from kolibri.core.auth.constants import collection_kinds
from kolibri.core.auth.constants.morango_sync import PROFILE_FACILITY_DATA
from kolibri.core.auth.models import Collection
from morango.errors import MorangoError
from requests.exceptions import HTTPError, RequestException

from course_assignment.kolibri.leaving import leave
from course_assignment.kolibri.lookup import (
    collection_names,
    find_collection,
    find_datasets,
    find_user,
    full_name,
    usernames,
)
from course_assignment.kolibri.policy import KolibriPolicy
from course_assignment.kolibri.syncing import connect, last_hub, own_certificates, sync_all, synced_datasets
from course_assignment.output import (
    described_edit,
    print_decided,
    print_edits,
    print_explanations,
    print_findings,
    print_released,
    print_synced,
)
from course_assignment.progress import TransferProgress
from course_assignment.syncing import UserSync, aftermath
from morango_collection_sync.audit import audit
from morango_collection_sync.errors import CollectionSyncError
from morango_collection_sync.explain import explain
from morango_collection_sync.models import QuarantinedEdit
from morango_collection_sync.partitions import parse_collection_partition
from morango_collection_sync.poisoned_counters import find_poisoned_counters, mend_poisoned_counters
from morango_collection_sync.quarantine import discard, find_edit, restore
from morango_collection_sync.release import Released, release_unreadable

_Found = TypeVar("_Found")


class Command(BaseCommand):
    """What collection-scoped sync has done on this device, and why."""

    help = "Say who gets which collections and why; look after what is on this device."

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand for each thing to do."""
        commands = parser.add_subparsers(dest="what", metavar="COMMAND", required=True)

        def add(name: str, summary: str, run: Callable[[dict[str, Any]], None], to: Any = commands) -> Any:
            command = to.add_parser(name, help=summary, description=summary)
            command.add_argument("--json", action="store_true", help="print the result as JSON")
            command.set_defaults(run=run)
            return command

        command = add("explain", "Say why USER's devices do or do not get each collection, or COLLECTION.", _explain)
        command.add_argument("user", metavar="USER", help="username or id")
        command.add_argument("collection", metavar="COLLECTION", nargs="?", help="id, name or CLASS/GROUP")
        _of_facility(command)
        command = add("audit", "Compare what is here with what may be: silent and 0, or a table and 1.", _audit)
        command.add_argument("--mend", action="store_true", help="lower the counters that say more than is so")
        _of_facility(command)
        _of_facility(add("release", "Release what no user of this device may read any more.", _release))
        command = add(
            "sync", "Pull and push for every user of this device, with the hub at URL or the last one.", _sync
        )
        command.add_argument("url", metavar="URL", nargs="?", help="the address of a hub, http://HOST:PORT")
        _of_facility(command)
        command = add("leave", "Make this device no longer one of USER's; release what only USER may read.", _leave)
        command.add_argument("user", metavar="USER", help="username or id")
        _of_facility(command)

        quarantine = commands.add_parser("quarantine", help="Look at edits that could not be synced, and decide.")
        decisions = quarantine.add_subparsers(dest="decision", metavar="COMMAND", required=True)
        add("list", "List the edits in quarantine, each with the record as it is here now.", _list, decisions)
        for name, summary, run in (
            ("restore", "Put the edit in the place of the record as it is; the next sync carries it.", _restore),
            ("discard", "Give the edit up for good.", _discard),
        ):
            add(name, summary, run, decisions).add_argument("edit", metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        """:raises CommandError: for what cannot be done, in one line"""
        try:
            options["run"](options)
        except CollectionSyncError as error:
            raise CommandError(str(error)) from error
        except HTTPError as error:
            status = "" if error.response is None else f" (status {error.response.status_code})"
            raise CommandError(f"the hub answered with an error{status}") from error
        except RequestException as error:
            raise CommandError("the connection to the hub was lost; sync again to go on from there") from error
        except MorangoError as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise CommandError(f"the sync failed: {reason}") from error


def _of_facility(command: Any) -> None:
    command.add_argument("--facility", metavar="ID", help="the facility; every one on this device when not given")


def _explain(options: dict[str, Any]) -> None:
    datasets = find_datasets(options["facility"])
    user = find_user(options["user"], datasets)
    rows = Collection.objects.filter(dataset_id=user.dataset_id).select_related("parent").order_by("kind", "name")
    names = {row.id: full_name(row) for row in rows}
    explained = [row.id for row in rows if row.kind != collection_kinds.FACILITY]
    if options["collection"]:
        explained = [find_collection(options["collection"], [user.dataset_id]).id]
    facts = KolibriPolicy().facts_for(user.id, user.dataset_id)
    explanations = explain(facts, user.username, names, sorted(explained, key=names.__getitem__))
    print_explanations(explanations, user.username, as_json=options["json"])


def _audit(options: dict[str, Any]) -> None:
    datasets = find_datasets(options["facility"])
    mended = None
    if options["mend"]:
        mended = mend_poisoned_counters(_once(find_poisoned_counters(each) for each in datasets))
    findings = _once(audit(PROFILE_FACILITY_DATA, each) for each in datasets)
    print_findings(findings, as_json=options["json"], mended=mended)
    if findings:
        sys.exit(1)


def _once(found: Iterable[Iterable[_Found]]) -> list[_Found]:
    """What was found for each facility; what is of none of them is found for all."""
    return list(dict.fromkeys(chain.from_iterable(found)))


def _release(options: dict[str, Any]) -> None:
    done = [release_unreadable(PROFILE_FACILITY_DATA, each) for each in find_datasets(options["facility"])]
    _print_released(
        Released(
            {partition: records for each in done for partition, records in each.partitions.items()},
            quarantined=sum(each.quarantined for each in done),
        ),
        options,
    )


def _leave(options: dict[str, Any]) -> None:
    released = leave(options["user"], synced_datasets(options["facility"]))
    if not options["json"]:
        click.echo(f"{options['user']} has left this device.")
    _print_released(released, options)


def _print_released(released: Released, options: dict[str, Any]) -> None:
    ids = (parse_collection_partition(partition).collection_id for partition in released.partitions)
    print_released(released, collection_names(ids), as_json=options["json"])


def _sync(options: dict[str, Any]) -> None:
    datasets = synced_datasets(options["facility"])
    certificates = own_certificates(datasets)
    done: list[UserSync] = []
    with TransferProgress() as progress, connect(options["url"] or last_hub(), progress) as driver:
        try:
            for user_sync in sync_all(driver, certificates):
                done.append(user_sync)
        finally:
            # What was done before something failed is done, and told.
            print_synced(
                driver.connection.base_url,
                done,
                aftermath(done, collection_names, PROFILE_FACILITY_DATA, datasets),
                as_json=options["json"],
                quarantine_command="kolibri manage collectionsync quarantine list",
            )


def _list(options: dict[str, Any]) -> None:
    edits = [described_edit(edit, usernames) for edit in QuarantinedEdit.objects.order_by("quarantined_at", "id")]
    print_edits(edits, collection_names(edit["collection_id"] for edit in edits), as_json=options["json"])


def _restore(options: dict[str, Any]) -> None:
    edit = find_edit(options["edit"])
    described = described_edit(edit, usernames)
    restore(edit)
    print_decided(described, "is restored; the next sync carries it", as_json=options["json"])


def _discard(options: dict[str, Any]) -> None:
    edit = find_edit(options["edit"])
    described = described_edit(edit, usernames)
    discard(edit)
    print_decided(described, "is given up", as_json=options["json"])
