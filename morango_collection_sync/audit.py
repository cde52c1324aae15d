"""What is on this device against what its users may read: nothing to say where all is in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.db.models import Count
from morango.models.core import Buffer, DatabaseMaxCounter, Store

from morango_collection_sync.models import collection_scoped_models
from morango_collection_sync.partitions import collection_partition, is_collection_partition
from morango_collection_sync.poisoned_counters import find_poisoned_counters
from morango_collection_sync.policy import get_policy
from morango_collection_sync.release import holds_dataset
from morango_collection_sync.undelivered import undelivered


class AuditedKind(Enum):
    """Where something was found."""

    ROW = "row"
    STORED = "stored record"
    BUFFER = "buffer"
    COUNTER = "counter"
    UNDELIVERED = "undelivered record"


@dataclass(frozen=True)
class Finding:
    """Something that should not be as it is.

    :param kind: where it was found
    :param partition: the partition that it is of
    :param count: how many
    :param reason: what is amiss
    :param record_id: the record, 32 hex digits, where it is about one
    """

    kind: AuditedKind
    partition: str
    count: int
    reason: str
    record_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        """A dict of JSON values."""
        return {
            "kind": self.kind.value,
            "partition": self.partition,
            "count": self.count,
            "reason": self.reason,
            "record_id": self.record_id,
        }


def audit(profile: str, dataset_id: str) -> list[Finding]:
    """Everything of a dataset on this device that is amiss; empty when nothing is.

    :param profile: the Morango profile
    :param dataset_id: 32 hex digits
    """
    findings = [*_misplaced(profile, dataset_id)]
    if not holds_dataset(dataset_id):
        findings += _unreadable(profile, dataset_id)
    findings += _poisoned(dataset_id)
    findings += [
        Finding(AuditedKind.UNDELIVERED, record.partition, 1, record.reason, record.record_id)
        for record in undelivered(profile, dataset_id)
    ]
    return findings


def _unreadable(profile: str, dataset_id: str) -> Iterable[Finding]:
    readable = set(get_policy().local_grant(dataset_id).partitions(push=False))
    for kind, partition, count in _held(profile, dataset_id):
        if partition not in readable:
            yield Finding(kind, partition, count, "no user of this device may read the collection")


def _held(profile: str, dataset_id: str) -> Iterable[tuple[AuditedKind, str, int]]:
    tables: list[tuple[AuditedKind, Any, str]] = [
        (AuditedKind.ROW, model.syncing_objects.filter(dataset_id=dataset_id), "_morango_partition")
        for model in collection_scoped_models(profile)
    ]
    for kind, table in (
        (AuditedKind.STORED, Store),
        (AuditedKind.BUFFER, Buffer),
        (AuditedKind.COUNTER, DatabaseMaxCounter),
    ):
        tables.append((kind, table.objects.filter(partition__startswith=dataset_id + ":"), "partition"))
    for kind, rows, field in tables:
        counted = rows.order_by().values_list(field).annotate(count=Count("pk"))
        for partition, count in sorted(counted):
            if is_collection_partition(partition, dataset_id):
                yield kind, partition, count


def _poisoned(dataset_id: str) -> Iterable[Finding]:
    for poisoned in find_poisoned_counters(dataset_id):
        if poisoned.reason.is_certain:
            reason = f"counter {poisoned.counter} of instance {poisoned.instance_id}: {poisoned.reason.value}"
            yield Finding(AuditedKind.COUNTER, poisoned.partition, 1, reason)


def _misplaced(profile: str, dataset_id: str) -> Iterable[Finding]:
    for model in collection_scoped_models(profile):
        rows = model.syncing_objects.filter(dataset_id=dataset_id).order_by("pk")
        for record_id, partition, collection_id in rows.values_list("id", "_morango_partition", "collection_id"):
            if partition != collection_partition(dataset_id, collection_id):
                reason = f"the record belongs to collection {collection_id}"
                yield Finding(AuditedKind.ROW, partition, 1, reason, record_id)
    names = [model.morango_model_name for model in collection_scoped_models(profile)]
    stored = Store.objects.filter(profile=profile, model_name__in=names, partition__startswith=dataset_id)
    for record_id, partition in stored.order_by("pk").values_list("id", "partition"):
        if not is_collection_partition(partition, dataset_id):
            yield Finding(AuditedKind.STORED, partition, 1, "the partition is none of a collection", record_id)
