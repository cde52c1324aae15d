"""Collections in a tree that Morango may sync: the one place that overrides something private of django-mptt."""

from __future__ import annotations

from typing import Any

from morango.models.manager import SyncableModelManager
from morango.models.query import SyncableModelQuerySet
from mptt.managers import TreeManager
from mptt.querysets import TreeQuerySet


class CollectionQuerySet(TreeQuerySet, SyncableModelQuerySet):
    """A queryset of django-mptt and of Morango at once."""


class CollectionManager(TreeManager.from_queryset(CollectionQuerySet), SyncableModelManager):
    """Keeps the tree's numbers without marking the rows that they move as edited.

    ``TreeManager._mptt_update`` (read in django-mptt 0.14 to 0.19) renumbers other rows with ``update()``, which
    in Morango's querysets means an edit to sync.
    """

    def _mptt_update(self, qs: Any = None, **items: Any) -> Any:
        return super()._mptt_update(qs, update_dirty_bit_to=None, **items)
