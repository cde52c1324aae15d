"""The base of every record that belongs to a collection."""

from __future__ import annotations

from django.db import models

from morango_collection_sync.partitions import collection_partition


class CollectionScopedModel(models.Model):
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
