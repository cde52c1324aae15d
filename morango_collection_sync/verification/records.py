"""What a record must be, by itself and against what is known here. Pure: everything it needs is handed in.

A record's id is a hash of its partition, its source and its model (``SyncableModel.compute_namespaced_id``, Morango
0.8.15), which Morango checks; whether its content belongs there Morango never asks.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from morango_collection_sync.partitions import is_hex_id, is_well_formed, is_within
from morango_collection_sync.verification.rules import Rule


class Sender(Enum):
    """Whom a session's records come from."""

    MEMBER = "member"
    """A client with a certificate for one user: it may write a few partitions, and is trusted with no more."""
    HUB = "hub"
    """Whoever has a certificate for the whole dataset, or answers a pull: it may say anything in its dataset."""


@dataclass(frozen=True)
class Record:
    """A record as a peer declares it; the names are those of Morango's ``Buffer``.

    :param id: ``model_uuid``, 32 hex digits
    :param content: ``serialized``
    :param conflicting: ``conflicting_serialized_data``
    :param self_reference: ``_self_ref_fk``
    """

    id: str
    profile: str
    model_name: str
    partition: str
    source_id: str
    content: str
    deleted: bool = False
    hard_deleted: bool = False
    conflicting: str = ""
    self_reference: str = ""

    @property
    def is_emptied(self) -> bool:
        """Whether this is a deletion that carries no content, as one that erases does."""
        return self.deleted and self.content in ("", "{}")


@dataclass(frozen=True)
class Known:
    """What this database has under a record's id: in its Store, or in the app alone."""

    model_name: str
    partition: str


@dataclass(frozen=True)
class ModelRules:
    """What there is to know of a model, apart from its rows.

    :param name: ``morango_model_name``
    :param collection_scoped: whether its records belong to a collection each
    :param hashed_ids: whether ids are made in Morango's own way, from partition, source and model
    :param fields: the names of its concrete fields, as a record's content has them
    :param reference_fields: those of them that hold an id of 32 hex digits
    :param self_reference_field: the one that refers to another row of the same model
    """

    name: str
    collection_scoped: bool
    hashed_ids: bool
    fields: frozenset[str]
    reference_fields: frozenset[str]
    self_reference_field: str | None = None


@dataclass(frozen=True)
class Scope:
    """What a session may carry.

    :param dataset_id: 32 hex digits
    :param profile: the session's
    :param partitions: the session's filter
    :param writable: for a member's push, every partition that it may write now
    """

    dataset_id: str
    profile: str
    partitions: tuple[str, ...]
    writable: tuple[str, ...] = ()


def check_envelope(record: Record, scope: Scope) -> Rule | None:
    """Which rule a record's outside breaks, whatever its model; None when it keeps them all."""
    if record.profile != scope.profile:
        return Rule.PROFILE
    if not is_well_formed(record.partition):
        return Rule.PARTITION
    if not is_within(record.partition, scope.partitions) or not is_within(record.partition, [scope.dataset_id]):
        return Rule.FILTER
    if record.hard_deleted and not record.deleted:
        return Rule.HARD_DELETION
    if not conflicts_are_objects(record):
        return Rule.CONFLICTS
    return None


def parsed(text: str) -> dict[str, Any] | None:
    """A record's content; None where that is not a JSON object."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def conflicts_are_objects(record: Record) -> bool:
    """Whether the conflicting versions are JSON objects, one a line, of the same record or emptied."""
    for line in record.conflicting.split("\n"):
        if line:
            version = parsed(line)
            if version is None or version.get("id", record.id) != record.id:
                return False
    return True


def check_ids(
    record: Record, content: Mapping[str, Any], model: ModelRules, scope: Scope, sender: Sender
) -> Rule | None:
    """Which rule the ids in a record's content break; None when they agree with the record and the session."""
    if content.get("id") != record.id:
        return Rule.CONTENT_ID
    if sender is Sender.HUB and not model.collection_scoped:
        return None
    if "dataset_id" in model.fields and content.get("dataset_id") != scope.dataset_id:
        return Rule.DATASET
    if any(content.get(name) is not None and not is_hex_id(content[name]) for name in model.reference_fields):
        return Rule.REFERENCE
    if sender is Sender.MEMBER:
        named = content.get(model.self_reference_field) if model.self_reference_field else None
        # Between hubs it may be out of date: Morango does not follow a row that got another parent.
        if record.self_reference != (named or ""):
            return Rule.SELF_REFERENCE
    return None


def check_known(record: Record, model: ModelRules, known: Collection[Known]) -> Rule | None:
    """Whether a record may stand beside, or in the place of, what is here under its id.

    :param known: what this database has under that id
    """
    if any((each.model_name, each.partition) != (record.model_name, record.partition) for each in known):
        return Rule.COLLISION
    # Without content only the hash ties the id to a place, and not every model's ids are hashes.
    if record.is_emptied and not known and not model.hashed_ids:
        return Rule.DELETION
    return None


def check_place(
    record: Record, partition: str, record_id: str | None, model: ModelRules, scope: Scope, sender: Sender
) -> Rule | None:
    """Whether a record is where its content belongs.

    :param partition: the partition that the content gives
    :param record_id: the id that the content gives, where the model is collection-scoped
    """
    if model.collection_scoped and (partition, record_id) != (record.partition, record.id):
        return Rule.ENVELOPE
    # Inside, not equal: Kolibri has moved the partitions of some models from one version to the next.
    if sender is Sender.MEMBER and not (is_well_formed(partition) and is_within(partition, scope.writable)):
        return Rule.CONTENT_OUTSIDE
    return None
