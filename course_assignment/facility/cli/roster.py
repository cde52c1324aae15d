"""Commands that change who belongs where: ``init import-users group enrol withdraw coach``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from course_assignment.facility.cli.command import device_command, json_option, password_for
from course_assignment.facility.cli.output import print_json
from course_assignment.facility.home import Home


@click.command()
@click.argument("name")
@click.option("--admin", required=True, metavar="USER", help="The username of the facility's admin.")
@click.option("--password", help="The admin's password; asked for when not given.")
@json_option
@device_command(new_home=True, only_one="sync")
def init(home: Home, name: str, admin: str, password: str | None, as_json: bool) -> None:
    """Make a facility called NAME: this home is a hub then."""
    from course_assignment.facility.device import DeviceRole, device_role
    from course_assignment.facility.errors import HomeIsHub, HomeTaken
    from course_assignment.facility.roster import create_facility

    role = device_role()
    if role is DeviceRole.HUB:
        raise HomeIsHub(home)
    if role is DeviceRole.MEMBER:
        raise HomeTaken(home)
    facility = create_facility(name, admin, password_for(repr(admin), password, confirm=True))
    if as_json:
        print_json({"dataset_id": facility.dataset_id, "name": facility.name, "admin": admin})
    else:
        click.echo(f"{home} is now the hub of {facility.name} (dataset {facility.dataset_id}).")


@click.command("import-users")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--password", help="For new users whose password the file does not tell ('*').")
@json_option
@device_command(only_one="sync")
def import_users(home: Home, file: Path, password: str | None, as_json: bool) -> None:
    """Bring in the users, classes and roles of Kolibri's user export FILE, all or none."""
    from course_assignment.facility.device import require_hub
    from course_assignment.facility.user_export import read_export
    from course_assignment.facility.user_import import UserImport

    facility = require_hub("importing users")
    exported = read_export(file)
    new = UserImport(facility, None).without_password(exported)
    secret = password_for(f"the {len(new)} new users", password, confirm=True) if new else None
    report = asdict(UserImport(facility, secret).run(exported))
    if as_json:
        print_json(report)
    elif any(report.values()):
        click.echo(", ".join(f"{count} {what.replace('_', ' ')}" for what, count in report.items() if count) + ".")
    else:
        click.echo("Nothing to change: all of it is here already.")


@click.command()
@click.argument("classroom", metavar="CLASS")
@click.argument("name")
@click.argument("users", metavar="[USER]...", nargs=-1)
@json_option
@device_command()
def group(home: Home, classroom: str, name: str, users: tuple[str, ...], as_json: bool) -> None:
    """Make a learner group called NAME in CLASS, with these members of the class."""
    from course_assignment.facility.device import require_hub
    from course_assignment.facility.lookup import find_collection, find_user, full_name
    from course_assignment.facility.roster import create_group

    require_hub("making a group")
    created = create_group(find_collection(classroom), name, [find_user(user) for user in users])
    if as_json:
        print_json({"collection": created.id, "name": full_name(created), "members": len(users)})
    else:
        click.echo(f"{full_name(created)} has {len(users)} member(s).")


@click.command()
@click.argument("user")
@click.argument("collection")
@json_option
@device_command()
def enrol(home: Home, user: str, collection: str, as_json: bool) -> None:
    """Make USER a member of COLLECTION."""
    _change(user, collection, as_json, "enrol", "member")


@click.command()
@click.argument("user")
@click.argument("collection")
@json_option
@device_command()
def withdraw(home: Home, user: str, collection: str, as_json: bool) -> None:
    """End USER's membership of COLLECTION; leaving a class leaves its groups."""
    _change(user, collection, as_json, "withdraw", "member", ended=True)


@click.command()
@click.argument("user")
@click.argument("collection")
@click.option("--remove", is_flag=True, help="End the role instead.")
@json_option
@device_command()
def coach(home: Home, user: str, collection: str, remove: bool, as_json: bool) -> None:
    """Make USER coach of COLLECTION."""
    _change(user, collection, as_json, "remove_coach" if remove else "make_coach", "coach", ended=remove)


def _change(
    username: str, collection_name: str, as_json: bool, function: str, tie: str, *, ended: bool = False
) -> None:
    from course_assignment.facility import roster
    from course_assignment.facility.device import require_hub
    from course_assignment.facility.lookup import find_collection, find_user, full_name

    require_hub("changing memberships and roles")
    user, collection = find_user(username), find_collection(collection_name)
    changed = getattr(roster, function)(user, collection) is not False
    if as_json:
        print_json({"user": user.username, "collection": collection.id, "tie": tie, "ended": ended, "changed": changed})
    else:
        word = "is no longer" if ended else "is now" if changed else "is already"
        article = "a " if tie == "member" else ""
        click.echo(f"{user.username} {word} {article}{tie} of {full_name(collection)}.")
