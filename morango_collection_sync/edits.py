"""What was edited in the app's tables and is not in Morango's Store yet."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db.models import CharField, F, Value
from morango.models.certificates import Filter
from morango.models.core import DeletedModels, HardDeletedModels, Store
from morango.registry import syncable_models
from morango.sync.controller import MorangoProfileController

from morango_collection_sync.deletions import forget_undone_deletions
from morango_collection_sync.models import in_chunks
from morango_collection_sync.prefixes import Prefixes
from morango_collection_sync.retries import until_settled

_MARK = "*"
"""Stands for the mark of a deletion, among partitions, of which none is like it."""


def serialize_edits(profile: str, sync_filter: Iterable[str]) -> None:
    """Bring what was edited inside a filter into the Store, and every deletion of the profile, as Morango does.

    Nothing is written where nothing was edited, nothing is locked, and Morango's counter stays as it is; then no
    partition is noted to be serialized either, which :func:`~.holdings.cover_own_records` makes good.

    :param sync_filter: prefixes of partitions
    :raises OperationalError: for a conflict with other transactions that did not settle
    """
    wanted = Prefixes(sync_filter)
    edited = edited_partitions(profile)
    prefixes = {prefix for partition in edited for prefix in wanted.of(partition)[:1]}
    if _MARK in edited:
        forget_undone_deletions(profile)
        # Whatever the filter is, Morango serializes all deletions with it. Their own partitions are named all the
        # same, so that it notes for them how far this instance has come: under another id it could not be told later.
        prefixes |= {(wanted.of(partition) or [partition])[0] for partition in _of_deletions(profile)}
        prefixes = prefixes or set(list(wanted)[:1])
    controller = MorangoProfileController(profile)
    for chunk in in_chunks(prefixes):
        until_settled(partial(controller.serialize_into_store, filter=Filter("\n".join(chunk))))


def _of_deletions(profile: str) -> set[str]:
    """The partitions of the records that are marked as deleted, as far as they were ever stored."""
    found: set[str] = set()
    for marks in (DeletedModels, HardDeletedModels):
        stored = Store.objects.filter(id__in=marks.objects.filter(profile=profile).values("id")).order_by()
        found.update(stored.values_list("partition", flat=True).distinct())
    return found


def edited_partitions(profile: str) -> set[str]:
    """The partitions of all rows that were edited, and an asterisk where there is the mark of a deletion."""
    places = [
        model.syncing_objects.filter(_morango_dirty_bit=True).annotate(place=F("_morango_partition"))
        for model in syncable_models.get_models(profile)
    ]
    places += [
        marks.objects.filter(profile=profile).annotate(place=Value(_MARK, output_field=CharField()))
        for marks in (DeletedModels, HardDeletedModels)
    ]
    first, *others = (each.order_by().values_list("place", flat=True) for each in places)
    return set(first.union(*others))
