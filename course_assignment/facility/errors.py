"""What a person may get wrong on the embedded host: each error is one line that says what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError


class FacilityError(Exception):
    """Base of these errors; ``str()`` gives the line."""


class UnknownName(FacilityError):
    """No user or collection has this name.

    :param kind: what was looked for, as a person calls it
    :param name: what was given
    :param nearest: names that are like it
    """

    def __init__(self, kind: str, name: str, nearest: Sequence[str]) -> None:
        self.kind = kind
        self.name = name
        self.nearest = tuple(nearest)
        hint = f"; did you mean {_listed(self.nearest)}?" if nearest else ""
        super().__init__(f"there is no {kind} {name!r} on this device{hint}")


class AmbiguousName(FacilityError):
    """Several users or collections have this name.

    :param kind: what was looked for, as a person calls it
    :param name: what was given
    :param choices: what each of them can be called instead
    """

    def __init__(self, kind: str, name: str, choices: Sequence[str]) -> None:
        self.kind = kind
        self.name = name
        self.choices = tuple(choices)
        super().__init__(f"several {kind}s are called {name!r}; say which: {_listed(self.choices, 'or')}")


class EmptyHome(FacilityError):
    """A command needs a device, and this home is none yet."""

    def __init__(self, home: object) -> None:
        super().__init__(f"{home} is no device yet: 'init' makes it a hub, 'join' a member device of one")


class HomeInUse(FacilityError):
    """Another process does on this home what only one may do at a time."""

    def __init__(self, home: object, doing: str) -> None:
        self.doing = doing
        super().__init__(f"another process uses {home} ({doing}); wait until it has ended, or give another --home")


class HomeIsHub(FacilityError):
    """Somebody tried to make a hub's home a device of another hub, or a facility again."""

    def __init__(self, home: object) -> None:
        super().__init__(f"{home} is a hub already; give another --home")


class HomeTaken(FacilityError):
    """Somebody tried to make a member device's home a hub."""

    def __init__(self, home: object) -> None:
        super().__init__(f"{home} is a member device already; give another --home")


class HomeIsMember(FacilityError):
    """Something that only a hub may do was tried on a member device."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"this is a member device: {what} is done on a hub, and reaches this device when it syncs")


class HomeUnusable(FacilityError):
    """The home is no folder that can be written to.

    :param home: what was given as one
    :param reason: why it cannot be used
    """

    def __init__(self, home: object, reason: str) -> None:
        self.home = home
        super().__init__(f"{home} cannot be used as a home: {reason}")


class DatabaseUrlRefused(FacilityError):
    """``DATABASE_URL`` names no database that can be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"DATABASE_URL cannot be used: {reason}")


class BadAddress(FacilityError):
    """What was given is no address of a hub."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"that is no address of a hub: {reason}")


class HubIsSelf(FacilityError):
    """Somebody tried to sync a device with itself."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        super().__init__(f"what answers at {base_url} is this device itself; give the address of another one")


class HubUnreachable(FacilityError):
    """Nothing that syncs answers at this address.

    :param base_url: the address
    :param reason: what was found instead
    """

    def __init__(self, base_url: str, reason: str) -> None:
        self.base_url = base_url
        super().__init__(f"no hub answers at {base_url}: {reason}")


class NoHubKnown(FacilityError):
    """A sync without an address on a device that has never synced."""

    def __init__(self) -> None:
        super().__init__("this device knows no hub yet; give its address: sync http://HOST:PORT")


class OtherFacility(FacilityError):
    """The hub at this address has another facility than this device.

    :param base_url: the hub's address
    :param dataset_id: this device's dataset, 32 hex digits
    """

    def __init__(self, base_url: str, dataset_id: str) -> None:
        self.base_url = base_url
        self.dataset_id = dataset_id
        super().__init__(f"the hub at {base_url} has another facility; this device belongs to dataset {dataset_id}")


class WrongPassword(FacilityError):
    """The hub knows no such user, or another password."""

    def __init__(self, username: str) -> None:
        self.username = username
        super().__init__(f"the hub does not accept this password for user {username!r}")


class BadUsername(FacilityError):
    """What was given is no username that anybody may have.

    :param name: what was given
    :param expected: what a username is
    """

    def __init__(self, name: str, expected: str) -> None:
        self.name = name
        super().__init__(f"{name!r} is no username; expected {expected}")


class NotAdmin(FacilityError):
    """Somebody who is no admin of the facility asked for all of it."""

    def __init__(self, username: str) -> None:
        self.username = username
        super().__init__(f"{username!r} is no admin of the facility, who alone may make a second hub of it")


class NotPermitted(FacilityError):
    """The user may not write in this collection."""

    def __init__(self, username: str, collection: str) -> None:
        self.username = username
        self.collection = collection
        super().__init__(f"{username!r} is neither coach nor admin of {collection!r}, and cannot assign there")


class UserNeeded(FacilityError):
    """On a device of several users, somebody must say who is at work."""

    def __init__(self, usernames: Iterable[str]) -> None:
        self.usernames = tuple(usernames)
        super().__init__(f"this device has several users; say who does it: --by {_listed(self.usernames, 'or')}")


class NotOnDevice(FacilityError):
    """The user is none of those whom this device syncs for."""

    def __init__(self, username: str, usernames: Iterable[str]) -> None:
        self.username = username
        self.usernames = tuple(usernames)
        there = f"; it does for {_listed(self.usernames, 'and')}" if self.usernames else ""
        super().__init__(f"this device does not sync for {username!r}{there}")


class NoSuchAssignment(FacilityError):
    """The course is not assigned to the collection."""

    def __init__(self, course: str, collection: str) -> None:
        self.course = course
        self.collection = collection
        super().__init__(f"course {course} is not assigned to {collection!r} on this device")


class RosterError(FacilityError):
    """A membership or role that cannot be as asked."""


@dataclass(frozen=True)
class RowError:
    """What is wrong in one row of a user export.

    :param line: the line of the file, from 1
    :param reason: what was expected there
    """

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class ExportRefused(FacilityError):
    """A file is no user export, or has bad rows; nothing was imported.

    :param rows: every bad row; none when the file as a whole is no export
    """

    def __init__(self, reason: str, rows: Sequence[RowError] = ()) -> None:
        self.rows = tuple(rows)
        super().__init__("\n".join([reason, *map(str, rows)]))


def validation_sentence(error: ValidationError) -> str:
    """What a model has refused, each reason behind the name of its field."""
    if not hasattr(error, "error_dict"):
        return "; ".join(error.messages)
    reasons = [
        message if field == NON_FIELD_ERRORS else f"{field.replace('_', ' ')}: {message}"
        for field, messages in error.message_dict.items()
        for message in messages
    ]
    return "; ".join(reasons)


def _listed(names: Sequence[str], word: str = "or") -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"
