"""What every command shares: its home, ``--json``, one line for what a person got wrong.

Django knows its database only once the home is known, so the commands import what needs models when they run.
"""

from __future__ import annotations

import functools
import os
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from course_assignment.facility.home import Home

DEFAULT_HOME = "~/.collection-sync"


class Refused(click.ClickException):
    """Something that a person got wrong: one line on standard error, exit status 1."""


class HexId(click.ParamType):
    """A UUID, with or without hyphens; gives its 32 hex digits."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, context: click.Context | None) -> str:
        try:
            return uuid.UUID(value).hex
        except ValueError:
            self.fail(f"{value!r} is no id; expected 32 hex digits", param, context)


HEX_ID = HexId()


def device_command(*, new_home: bool = False, only_one: str | None = None) -> Callable[..., Any]:
    """Make a function a command on a device; its first argument is the home.

    :param new_home: whether the home may be one that is no device yet; it is made then
    :param only_one: what only one process may do on a home at a time, if it is such a thing
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @click.option("--home", type=click.Path(), help=f"This device's folder (default: {DEFAULT_HOME}).")
        @click.pass_context
        @functools.wraps(function)
        def run(context: click.Context, home: str | None, **arguments: Any) -> Any:
            path = home or (context.parent and context.parent.params.get("home")) or DEFAULT_HOME
            device = Home(Path(path))
            device.activate()
            with told_in_one_line():
                if not new_home:
                    _require(device)
                if only_one is None:
                    device.prepare()
                    return function(device, **arguments)
                with device.only_one(only_one):
                    device.prepare()
                    return function(device, **arguments)

        return run

    return decorate


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--json``: print the result as JSON."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)


class told_in_one_line:
    """Turns what a person got wrong, and what the network did, into one line; lets everything else through."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        from django.core.exceptions import ValidationError
        from django.db import DatabaseError
        from morango.errors import MorangoError
        from requests.exceptions import HTTPError, RequestException

        from course_assignment.facility.errors import FacilityError
        from morango_collection_sync.errors import CollectionSyncError

        if isinstance(error, HTTPError) and error.response is not None:
            raise Refused(f"the hub answered with an error (status {error.response.status_code})") from error
        if isinstance(error, RequestException):
            raise Refused("the connection to the hub was lost; sync again to go on from there") from error
        if isinstance(error, ValidationError):
            raise Refused("; ".join(error.messages)) from error
        if isinstance(error, MorangoError):
            raise Refused(f"the sync failed: {error}") from error
        if isinstance(error, DatabaseError):
            raise Refused(f"the database of this home cannot be used: {str(error).splitlines()[0]}") from error
        if isinstance(error, (FacilityError, CollectionSyncError)):
            raise Refused(str(error)) from error


def password_for(username: str, given: str | None, *, confirm: bool = False) -> str:
    """A password: the one that was given, else the environment's, else asked for on a terminal."""
    password = given if given is not None else os.environ.get("COLLECTION_SYNC_PASSWORD")
    if password is None:
        if not sys.stdin.isatty():
            raise Refused(f"no password for {username!r}: give --password, or set COLLECTION_SYNC_PASSWORD")
        password = click.prompt(f"Password for {username}", hide_input=True, confirmation_prompt=confirm, err=True)
    if not password:
        raise Refused(f"the password for {username!r} is empty")
    return password


def _require(home: Home) -> None:
    from course_assignment.facility.device import require_device
    from course_assignment.facility.errors import EmptyHome

    if home.is_new:
        raise EmptyHome(home)
    home.prepare()
    require_device(home)
