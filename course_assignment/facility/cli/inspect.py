"""Commands that look and change nothing: ``show explain``."""

from __future__ import annotations

import click

from course_assignment.facility.cli.command import device_command, json_option
from course_assignment.facility.cli.output import print_json, print_table
from course_assignment.facility.home import Home
from course_assignment.output import print_explanations

_MOST_USERS = 20


@click.command()
@json_option
@device_command()
def show(home: Home, as_json: bool) -> None:
    """Show what this device holds: users, collections, assignments."""
    from course_assignment.facility.contents import device_contents
    from course_assignment.facility.device import require_device, usernames
    from course_assignment.missing import describe_missing

    contents = device_contents(require_device(home))
    if as_json:
        print_json(contents.as_json())
        return
    users = contents.users
    shown = ", ".join(users) if len(users) <= _MOST_USERS else f"{len(users)} users"
    click.echo(f"{contents.role.value} of dataset {contents.dataset_id}: {shown}")
    if contents.quarantine:
        click.echo(f"{contents.quarantine} edit(s) are in quarantine; see: collection-sync quarantine list")
    print_table(
        ("collection", "kind", "records", "active"),
        [
            (
                collection.name,
                collection.kind,
                collection.records,
                f"{collection.active.active}, over the limit of {collection.active.limit}"
                if collection.active.is_over
                else str(collection.active.active),
            )
            for collection in contents.collections
        ],
    )
    if not contents.assignments:
        return
    names = {collection.id: collection.name for collection in contents.collections}
    authors = sorted({assignment.assigned_by for assignment in contents.assignments if assignment.assigned_by})
    author_names = dict(zip(authors, usernames(authors)))
    print_table(
        ("course", "collection", "active", "assigned by", "content"),
        [
            (
                assignment.title,
                names.get(assignment.collection_id, assignment.collection_id),
                "yes" if assignment.is_active else "no",
                author_names.get(assignment.assigned_by, "the hub"),
                describe_missing(assignment),
            )
            for assignment in contents.assignments
        ],
    )


@click.command()
@click.argument("user")
@click.argument("collection", required=False)
@json_option
@device_command()
def explain(home: Home, user: str, collection: str | None, as_json: bool) -> None:
    """Say why USER's devices do or do not get each collection, or COLLECTION."""
    from course_assignment.facility.explanations import explain_user
    from course_assignment.facility.lookup import find_collection, find_user

    found = find_user(user)
    explanations = explain_user(found, find_collection(collection) if collection else None)
    print_explanations(explanations, found.username, as_json=as_json)
