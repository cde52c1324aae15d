"""Commands that assign courses: ``assign unassign activate deactivate``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from course_assignment.facility.cli.command import HEX_ID, device_command, json_option
from course_assignment.facility.cli.output import print_json
from course_assignment.facility.home import Home

_HIGHEST_INTEGER = 2**31 - 1  # PostgreSQL's, on whatever database this device has.


def _target(function: Callable[..., Any]) -> Callable[..., Any]:
    function = click.option("--by", metavar="USER", help="Who does it; needed on a device of several users.")(function)
    return click.argument("collection")(click.argument("course")(function))


@click.command()
@_target
@click.option("--title", required=True, help="The course's title.")
@click.option("--active", is_flag=True, help="Show it to the learners at once.")
@click.option("--channel", type=HEX_ID, metavar="ID", help="The channel that the course comes from, 32 hex digits.")
@click.option("--content", type=HEX_ID, metavar="ID", help="The course's content id, 32 hex digits.")
@click.option("--channel-version", type=click.IntRange(0, _HIGHEST_INTEGER), help="The version of the channel.")
@json_option
@device_command()
def assign(
    home: Home,
    collection: str,
    course: str,
    by: str | None,
    title: str,
    active: bool,
    channel: str | None,
    content: str | None,
    channel_version: int | None,
    as_json: bool,
) -> None:
    """Assign COURSE (a UUID) to COLLECTION."""
    from course_assignment.facility import assignments
    from course_assignment.facility.lookup import find_collection

    target = find_collection(collection)
    info = assignments.CourseInfo(title, channel, content, channel_version)
    assignment = assignments.assign(target, course, info, assignments.acting_user(target.dataset_id, by), active=active)
    _tell(assignment, as_json, f"is assigned{'' if active else ', and not active yet'}")


@click.command()
@_target
@json_option
@device_command()
def unassign(home: Home, collection: str, course: str, by: str | None, as_json: bool) -> None:
    """Delete the assignment of COURSE to COLLECTION, here and, once synced, everywhere."""
    from course_assignment.facility import assignments
    from course_assignment.facility.lookup import find_collection, full_name

    target = find_collection(collection)
    assignments.unassign(target, course, assignments.acting_user(target.dataset_id, by))
    if as_json:
        print_json({"course": course, "collection_id": target.id})
    else:
        click.echo(f"{course} is no longer assigned to {full_name(target)}.")


@click.command()
@_target
@json_option
@device_command()
def activate(home: Home, collection: str, course: str, by: str | None, as_json: bool) -> None:
    """Show the assignment of COURSE to the learners of COLLECTION."""
    _set_active(collection, course, by, as_json, active=True)


@click.command()
@_target
@json_option
@device_command()
def deactivate(home: Home, collection: str, course: str, by: str | None, as_json: bool) -> None:
    """Hide the assignment of COURSE from the learners of COLLECTION."""
    _set_active(collection, course, by, as_json, active=False)


def _set_active(collection: str, course: str, by: str | None, as_json: bool, *, active: bool) -> None:
    from course_assignment.facility import assignments
    from course_assignment.facility.lookup import find_collection

    target = find_collection(collection)
    user = assignments.acting_user(target.dataset_id, by)
    assignment = assignments.set_active(target, course, user, active=active)
    _tell(assignment, as_json, "is active" if active else "is not active any more")


def _tell(assignment: Any, as_json: bool, what: str) -> None:
    from course_assignment.facility.lookup import full_name
    from course_assignment.facility.models import CourseAssignment

    count = CourseAssignment.objects.active_count(assignment.collection_id)
    if as_json:
        print_json(
            {
                "id": assignment.id,
                "course": assignment.course,
                "collection_id": assignment.collection_id,
                "assigned_by": assignment.assigned_by,
                "is_active": assignment.is_active,
                "active_in_collection": count.active,
                "limit": count.limit,
            }
        )
        return
    click.echo(f"{assignment.title} {what} ({full_name(assignment.collection)}).")
    if count.is_over:
        click.echo(
            f"{full_name(assignment.collection)} has {count.active} active courses, over the limit of {count.limit}."
        )
