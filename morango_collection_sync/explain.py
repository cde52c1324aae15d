"""Why a user's devices do or do not get a collection, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from morango_collection_sync.access import AccessFacts, AccessReason, Tie, access_reasons


@dataclass(frozen=True)
class Explanation:
    """Whether a user may read and write a collection, and why.

    :param collection: its id, 32 hex digits
    :param name: what it is called
    :param read: whether the user's devices get it
    :param write: whether the user's edits there are taken
    :param because: one sentence for each reason; never empty
    """

    collection: str
    name: str
    read: bool
    write: bool
    because: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """A dict of JSON values, with ``because`` as a list."""
        return {
            "collection": self.collection,
            "name": self.name,
            "read": self.read,
            "write": self.write,
            "because": list(self.because),
        }


def explain(
    facts: AccessFacts, username: str, names: Mapping[str, str], collection_ids: Iterable[str] | None = None
) -> list[Explanation]:
    """Explain a user's access by what this database knows. Pure.

    :param facts: what the database knows of the user
    :param username: what to call the user
    :param names: what to call each collection, by its id
    :param collection_ids: the collections to explain, in this order; all in ``names`` when not given
    """
    reasons = access_reasons(facts)
    return [
        _explanation(facts, username, names, collection_id, reasons.get(collection_id, ()))
        for collection_id in (names if collection_ids is None else collection_ids)
    ]


def _explanation(
    facts: AccessFacts,
    username: str,
    names: Mapping[str, str],
    collection_id: str,
    reasons: tuple[AccessReason, ...],
) -> Explanation:
    name = names.get(collection_id, collection_id)
    sentences = [_sentence(username, name, names.get(reason.via, reason.via), reason) for reason in reasons]
    return Explanation(
        collection_id,
        name,
        read=bool(reasons),
        write=any(reason.tie is Tie.ROLE for reason in reasons),
        because=tuple(sentences) or (_why_not(facts, username, name, collection_id),),
    )


def _sentence(username: str, name: str, via: str, reason: AccessReason) -> str:
    if reason.tie is Tie.MEMBERSHIP:
        above = "" if via == name else f", which is below {name}"
        return f"{username} is a member of {via}{above}"
    below = "" if via == name else f", which is above {name}"
    return f"{username} is {reason.kind} of {via}{below}"


def _why_not(facts: AccessFacts, username: str, name: str, collection_id: str) -> str:
    if collection_id in facts.facilities:
        return f"{name} is the facility itself, whose members and coaches sync its classes and groups"
    if collection_id not in facts.parents and facts.parents:
        return f"this device knows no collection {name}"
    return f"{username} is neither a member of {name} or a group in it, nor coach or admin of it or what is above it"
