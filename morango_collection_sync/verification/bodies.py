"""What the body of a request may be, before anything else looks at it. Pure.

Morango takes bodies as they come (``morango.api.viewsets``, 0.8.15): a field of another type, or a text that the
database cannot hold, ends as an error of the server there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from morango_collection_sync.partitions import is_hex_id
from morango_collection_sync.verification.counters import is_counter

DEEPEST = 32
"""How deep lists and objects may lie in each other. Morango's own lie four deep."""

_GREATEST_NUMBER = 2**63 - 1


class Part(NamedTuple):
    """One field of a body.

    :param test: whether a value is one
    :param expected: what is, in words
    :param required: whether it may not be left out; what may be left out may be null, too
    """

    name: str
    test: Callable[[Any], bool]
    expected: str
    required: bool = True


def unacceptable(value: Any) -> str | None:
    """Why no database could hold what this JSON says, as the rest of a sentence; None when it could."""
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        current, depth = waiting.pop()
        if depth > DEEPEST:
            return f"is nested more than {DEEPEST} deep"
        if isinstance(current, str) and not is_text(current):
            return "holds a character that is no text"
        if isinstance(current, int) and abs(current) > _GREATEST_NUMBER:
            return "holds a number that is too great"
        if isinstance(current, dict):
            waiting += [(each, depth + 1) for pair in current.items() for each in pair]
        elif isinstance(current, list):
            waiting += [(each, depth + 1) for each in current]
    return None


def is_text(value: object) -> bool:
    """Whether this is a string that a database can hold: no NUL, and no half of a surrogate pair."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def short_text(longest: int) -> Callable[[Any], bool]:
    """A test for texts of at most this many characters."""
    return lambda value: isinstance(value, str) and len(value) <= longest


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _GREATEST_NUMBER


_ID = "32 hex digits"
_COUNT = "a number from 0 to 2147483647"

TRANSFER_SESSION = (
    Part("id", is_hex_id, _ID),
    Part("sync_session_id", is_hex_id, _ID),
    Part("filter", _is_text, "a text"),
    Part("push", _is_bool, "true or false"),
    Part("client_fsic", _is_text, "a text", required=False),
    Part("records_total", is_counter, _COUNT, required=False),
)
"""What a client asks for a transfer session with."""

TRANSFER_UPDATE = (
    Part("transfer_stage", _is_text, "a transfer stage", required=False),
    Part("client_fsic", _is_text, "a text", required=False),
    Part("records_total", is_counter, _COUNT, required=False),
    Part("records_transferred", is_counter, _COUNT, required=False),
    Part("bytes_sent", _is_size, "a number of bytes", required=False),
    Part("bytes_received", _is_size, "a number of bytes", required=False),
)
"""What a client brings a transfer session forward with."""

BUFFER = (
    Part("serialized", _is_text, "a text"),
    Part("deleted", _is_bool, "true or false"),
    Part("last_saved_instance", is_hex_id, _ID),
    Part("last_saved_counter", is_counter, _COUNT),
    Part("hard_deleted", _is_bool, "true or false"),
    Part("partition", _is_text, "a text"),
    Part("source_id", short_text(96), "a text of at most 96 characters"),
    Part("model_name", short_text(40), "a text of at most 40 characters"),
    Part("conflicting_serialized_data", _is_text, "a text"),
    Part("model_uuid", is_hex_id, _ID),
    Part("transfer_session", is_hex_id, _ID),
    Part("profile", short_text(40), "a text of at most 40 characters"),
    Part("rmcb_list", _is_list, "a list"),
    Part("_self_ref_fk", short_text(32), "a text of at most 32 characters"),
)
"""A record, as ``BufferSerializer`` makes it (``morango.api.serializers``, 0.8.15)."""

RECORD_COUNTER = (
    Part("instance_id", is_hex_id, _ID),
    Part("counter", is_counter, _COUNT),
    Part("transfer_session", is_hex_id, _ID),
    Part("model_uuid", is_hex_id, _ID),
)
"""A counter of a record."""


def problem_with(body: Any, parts: Iterable[Part], *, only: bool = False) -> str | None:
    """What is wrong with a body, as a sentence; None when nothing is.

    :param parts: its fields
    :param only: whether it may have no others
    """
    if not isinstance(body, dict):
        return "expected an object"
    parts = tuple(parts)
    for part in parts:
        value = body.get(part.name)
        if (part.required or value is not None) and not part.test(value):
            return f"{part.name}: expected {part.expected}"
    if only and not body.keys() <= {part.name for part in parts}:
        return "it has fields that are not known here"
    return None


def problem_with_chunk(body: Any) -> str | None:
    """What is wrong with a chunk of records, as a sentence; None when nothing is."""
    if not (isinstance(body, list) and body):
        return "expected records"
    seen: set[str] = set()
    for row in body:
        problem = problem_with(row, BUFFER, only=True)
        if problem is not None:
            return f"a record: {problem}"
        if row["model_uuid"] in seen:
            return "a record comes twice"
        seen.add(row["model_uuid"])
        instances: set[str] = set()
        for counter in row["rmcb_list"]:
            problem = problem_with(counter, RECORD_COUNTER, only=True)
            if problem is not None:
                return f"a record's counter: {problem}"
            if counter["instance_id"] in instances:
                return "a record has two counters of one instance"
            instances.add(counter["instance_id"])
            if (counter["transfer_session"], counter["model_uuid"]) != (row["transfer_session"], row["model_uuid"]):
                return "a record has a counter of another record"
    if len({row["transfer_session"] for row in body}) > 1:
        return "the records are of more than one transfer session"
    return None
