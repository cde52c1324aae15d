"""The base of every record that belongs to a collection, and what a device keeps about its own syncing.

The latter never syncs: it says what this device has sent, let go and set aside.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import models
from django.utils import timezone
from morango.models.core import SyncableModel
from morango.models.fields.uuids import UUIDField
from morango.registry import syncable_models

from morango_collection_sync.applied import AppliedModel
from morango_collection_sync.partitions import collection_partition


def _random_id() -> str:
    return uuid.uuid4().hex


class CollectionScopedModel(AppliedModel, models.Model):
    """A record of one collection: it reaches the devices whose users belong there.

    Put it ahead of the host's own base, which is a ``SyncableModel``:
    ``class Assignment(CollectionScopedModel, FacilityDataModel)``. It has no fields, because Django lets no field
    come to a model by two ways. A subclass has the foreign keys ``dataset`` and ``collection``, both set before the
    first save and never changed after it: the partition, and with it the id, is made from them once.
    """

    dataset_id: str
    collection_id: str

    class Meta:
        abstract = True

    def calculate_partition(self) -> str:
        """``<dataset_id>:<collection_id>``.

        :raises InvalidPartition: when one of the two is not an id
        """
        return collection_partition(self.dataset_id, self.collection_id)


def collection_scoped_models(profile: str) -> list[type[SyncableModel]]:
    """The collection-scoped models of a profile, those that refer to others behind them."""
    return [model for model in syncable_models.get_models(profile) if issubclass(model, CollectionScopedModel)]


class PushedCounter(models.Model):
    """How far a hub is known to have this device's edits of a partition.

    :ivar partition: a collection partition
    :ivar instance_id: an instance id of this device, the present or a former one, 32 hex digits
    :ivar counter: a hub has every edit that this instance made there with a counter up to this one
    """

    partition = models.CharField(max_length=128)
    instance_id = UUIDField()
    counter = models.IntegerField()

    class Meta:
        constraints = [  # noqa: RUF012 - Django's own form
            models.UniqueConstraint(fields=["partition", "instance_id"], name="collection_sync_pushed_once")
        ]

    def __str__(self) -> str:
        return f"{self.partition} of {self.instance_id} up to {self.counter}"


class DeclaredCounter(models.Model):
    """How far this device has told others of an instance of its own; who knows of more knew it before a restore.

    :ivar instance_id: 32 hex digits
    :ivar counter: the highest that any transfer has declared
    """

    instance_id = UUIDField(unique=True)
    counter = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.instance_id} up to {self.counter}"


class EditKind(models.TextChoices):
    """What an edit was. A creation: of a record that nobody but this device has saved, as far as is known here."""

    CREATION = "creation"
    CHANGE = "change"
    DELETION = "deletion"


class QuarantineReason(models.TextChoices):
    """Why an edit may not be synced any more."""

    ACCESS_LOST = "access_lost", "no user of this device may write in the collection any more"
    COLLECTION_GONE = "collection_gone", "the collection is not there any more"


class QuarantinedEdit(models.Model):
    """An edit made on this device that no hub is known to have, and that may not be synced any more.

    :ivar record_id: the record's id, 32 hex digits
    :ivar serialized: the record as it was on this device, as Morango's Store keeps it
    :ivar ancestry: a JSON object of instance ids and counters: the versions that the edit was made upon, and itself
    :ivar saved_instance: with ``saved_counter``, the version that the edit itself is
    :ivar user_ids: a JSON list of the users who could write it
    """

    id = UUIDField(primary_key=True, default=_random_id, editable=False)
    profile = models.CharField(max_length=40)
    dataset_id = UUIDField()
    collection_id = UUIDField()
    model_name = models.CharField(max_length=40)
    record_id = UUIDField(db_index=True)
    source_id = models.CharField(max_length=96)
    kind = models.CharField(max_length=10, choices=EditKind.choices)
    reason = models.CharField(max_length=20, choices=QuarantineReason.choices)
    serialized = models.TextField()
    ancestry = models.TextField()
    saved_instance = UUIDField()
    saved_counter = models.IntegerField()
    user_ids = models.TextField(default="[]")
    quarantined_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.kind} of {self.model_name} {self.record_id}"

    @property
    def partition(self) -> str:
        """The partition of the record."""
        return collection_partition(self.dataset_id, self.collection_id)


def in_chunks(values: Iterable[str], size: int = 400) -> Iterable[list[str]]:
    """The values in lists short enough for one statement on SQLite, whose expressions are at most 1000 deep."""
    listed = sorted(values)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]
