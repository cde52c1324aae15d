"""What happened, in a form in which two runs can be compared: no ids, no contents, no names of people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

_ID = re.compile(r"\b[0-9a-f]{32}\b")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Event:
    """A request, or the end of a process.

    :param device: the name of the device that sent the request, or whose process ended
    :param what: ``PATCH hub /api/morango/v1/transfersessions/{3}/``, each id as a number by its first appearance,
        or ``killed before deserializing.ReceiverDeserializeOperation``
    :param status: of the HTTP answer; None where none came
    :param fault: the name of the fault that befell it
    """

    device: str
    what: str
    status: int | None = None
    fault: str | None = None

    def __str__(self) -> str:
        parts = [self.device, self.what]
        if self.status is not None:
            parts.append(f"-> {self.status}")
        if self.fault is not None:
            parts.append(f"[{self.fault}]")
        return " ".join(parts)


class Trace:
    """Events in the order in which they happened. Two traces are equal when theirs are."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._numbers: dict[str, int] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self.events == other.events

    __hash__ = None  # type: ignore[assignment] # it grows

    def __str__(self) -> str:
        return "\n".join(str(event) for event in self.events)

    def add(self, event: Event) -> None:
        """Something has happened."""
        self.events.append(event)

    def shape(self, url: str) -> str:
        """A URL's path and query: ids as numbers by their first appearance, no other words from the query's values."""
        parts = urlsplit(url)
        query = "&".join(f"{name}={self._value(value)}" for name, value in sorted(parse_qsl(parts.query)))
        path = _ID.sub(lambda found: self._number(found.group()), parts.path)
        return f"{path}?{query}" if query else path

    def _value(self, value: str) -> str:
        if _ID.fullmatch(value):
            return self._number(value)
        return value if _NUMBER.fullmatch(value) else "*"

    def _number(self, found: str) -> str:
        return f"{{{self._numbers.setdefault(found, len(self._numbers) + 1)}}}"
