"""Collections in a tree that Morango may sync: the one place that overrides something private of django-mptt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate
from typing import Any

from django.db import connection
from django.db.models import Case, F, Max, Value, When
from morango.models.manager import SyncableModelManager
from morango.models.query import SyncableModelQuerySet
from mptt.managers import TreeManager
from mptt.querysets import TreeQuerySet

from course_assignment.facility.numbering import Gap, Node, numbered
from morango_collection_sync.applied import NotTogether
from morango_collection_sync.value_lists import ids

_BATCH = 100
"""Gaps made in one statement: each is a condition, and SQLite's expressions are at most 1000 deep."""


class CollectionQuerySet(TreeQuerySet, SyncableModelQuerySet):
    """A queryset of django-mptt and of Morango at once."""


class CollectionManager(TreeManager.from_queryset(CollectionQuerySet), SyncableModelManager):
    """Keeps the tree's numbers without marking the rows that they move as edited.

    ``TreeManager._mptt_update`` (read in django-mptt 0.14 to 0.19) renumbers other rows with ``update()``, which
    in Morango's querysets means an edit to sync.
    """

    def _mptt_update(self, qs: Any = None, **items: Any) -> Any:
        return super()._mptt_update(qs, update_dirty_bit_to=None, **items)

    def place(self, new: Sequence[Any]) -> None:
        """Give new collections their numbers, and make room for them in the tree, inside a transaction.

        :param new: not saved yet; each is to become the last child of its parent, in their order
        :raises NotTogether: when a parent is not there any more
        """
        if not new:
            return
        self.lock_trees(each.dataset_id for each in new)
        above = {each.parent_id for each in new} - {each.pk for each in new} - {None}
        rows = self.model._base_manager.filter(pk__in=ids(above)).select_for_update()
        places = rows.values_list("pk", "tree_id", "lft", "rght", "level")
        parents = {key: Node(*numbers) for key, *numbers in places}
        if above != {*parents}:
            raise NotTogether
        trees = self.model._base_manager.aggregate(last=Max("tree_id"))["last"]
        numbering = numbered([(each.pk, each.parent_id) for each in new], parents, (trees or 0) + 1)
        for start in range(0, len(numbering.gaps), _BATCH):
            self._make_room(numbering.gaps[start : start + _BATCH])
        for each in new:
            each.tree_id, each.lft, each.rght, each.level = numbering.new[each.pk]

    def lock_trees(self, dataset_ids: Iterable[str]) -> None:
        """Wait for whoever numbers the trees of these datasets, or a new one; what is read next is what they wrote.

        On SQLite the transaction that this is in is the only one already.
        """
        if connection.vendor != "postgresql":
            return
        # Of a new tree there is no row yet.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [self.model._meta.db_table])
        roots = self.model._base_manager.filter(dataset_id__in=ids({*dataset_ids}), parent=None)
        list(roots.order_by("pk").select_for_update().values_list("pk"))

    def _make_room(self, gaps: Collection[Gap]) -> None:
        for tree in {gap.tree for gap in gaps}:
            there = sorted(gap for gap in gaps if gap.tree == tree)
            moving = self.model._base_manager.filter(tree_id=tree, rght__gte=there[0].at)
            moving.update(**{side: F(side) + Case(*_moves(side, there), default=Value(0)) for side in ("lft", "rght")})


def _moves(side: str, gaps: Sequence[Gap]) -> list[When]:
    """How far a number moves: as far as all gaps at or before it are wide.

    :param side: the name of the number's field
    :param gaps: of one tree, in their order
    """
    widths = accumulate(gap.width for gap in gaps)
    moves = [When(**{f"{side}__gte": gap.at}, then=Value(width)) for gap, width in zip(gaps, widths)]
    return moves[::-1]
