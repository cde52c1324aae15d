"""What every command shares: its home, ``--json``, one line for what a person got wrong.

Django knows its database only once the home is known, so the commands import what needs models when they run.
"""

from __future__ import annotations

import functools
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click

from course_assignment.facility.errors import EmptyHome, FacilityError, validation_sentence
from course_assignment.facility.home import Home
from course_assignment.facility.text import is_line

DEFAULT_HOME = "~/.collection-sync"


class Refused(click.ClickException):
    """Something that a person got wrong: one line on standard error, exit status 1."""


class Misused(Refused):
    """A command that was not called as it is to be: one line, too, and exit status 2 as elsewhere."""

    exit_code = 2

    def __init__(self, error: click.UsageError) -> None:
        path = error.ctx.command_path if error.ctx else "collection-sync"
        super().__init__(f"{' '.join(error.format_message().split())} See: {path} --help")


class Program(click.Group):
    """A group of commands that tells in one line how one of them was called wrongly, at any depth below it."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _misuse_in_one_line():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _misuse_in_one_line():
            return super().invoke(ctx)


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
            with told_in_one_line():
                device = _home(home, context)
                _refuse_odd_text(arguments)
                device.activate()
                if not new_home and device.is_new:
                    raise EmptyHome(device)
                with device.only_one(only_one) if only_one else nullcontext():
                    device.prepare()
                    if not new_home:
                        _require_device(device)
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
        if error is None or isinstance(error, (click.ClickException, click.exceptions.Exit)):
            return
        # Ahead of what can only be imported once there are settings, which may be what is wrong.
        if isinstance(error, FacilityError):
            raise Refused(str(error)) from error
        from django.core.exceptions import ImproperlyConfigured, ValidationError
        from django.db import DatabaseError
        from morango.errors import MorangoError
        from requests.exceptions import HTTPError, RequestException

        from morango_collection_sync.errors import CollectionSyncError

        if isinstance(error, CollectionSyncError):
            raise Refused(str(error)) from error
        if isinstance(error, HTTPError) and error.response is not None:
            raise Refused(f"the hub answered with an error (status {error.response.status_code})") from error
        if isinstance(error, RequestException):
            raise Refused("the connection to the hub was lost; sync again to go on from there") from error
        if isinstance(error, ValidationError):
            raise Refused(validation_sentence(error)) from error
        if isinstance(error, MorangoError):
            raise Refused(f"the sync failed: {_first_line(error)}") from error
        if isinstance(error, (DatabaseError, ImproperlyConfigured)):
            raise Refused(f"the database of this home cannot be used: {_first_line(error)}") from error


def password_for(whom: str, given: str | None, *, confirm: bool = False) -> str:
    """A password: the one that was given, else the environment's, else asked for on a terminal.

    :param whom: whose it is, for the question and for messages
    """
    password = given if given is not None else os.environ.get("COLLECTION_SYNC_PASSWORD")
    if password is None:
        if not sys.stdin.isatty():
            raise Refused(f"no password for {whom}: give --password, or set COLLECTION_SYNC_PASSWORD")
        password = click.prompt(f"Password for {whom}", hide_input=True, confirmation_prompt=confirm, err=True)
    if not password:
        raise Refused(f"the password for {whom} is empty")
    return password


def _home(given: str | None, context: click.Context) -> Home:
    path = given
    if path is None:
        path = context.find_root().params.get("home")
    if path is None:
        path = DEFAULT_HOME
    # An unset variable of a shell script, rather than a wish for the default.
    if not path:
        raise Refused("--home is empty; expected a folder")
    if not is_line(path):
        raise Refused(f"--home is {path!r}; expected a folder whose name can be printed")
    return Home(Path(path))


@contextmanager
def _misuse_in_one_line() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        # Its message is the help that is shown when no command was given.
        if error.message == getattr(error.ctx, "get_help", str)():
            raise
        raise Misused(error) from error


def _refuse_odd_text(arguments: dict[str, Any]) -> None:
    for name, value in arguments.items():
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and not is_line(text):
                shown = "what was given" if name == "password" else repr(text)
                raise Refused(f"{name}: {shown} holds characters that no line of text has")


def _require_device(home: Home) -> None:
    from course_assignment.facility.device import require_device

    require_device(home)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
