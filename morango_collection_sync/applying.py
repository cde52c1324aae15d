"""Applying what is in Morango's Store to the app's tables, for a filter of any length."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import partial

from django.db import IntegrityError
from morango.models.certificates import Filter
from morango.models.core import Store, SyncableModel
from morango.registry import syncable_models

from morango_collection_sync import upstream
from morango_collection_sync.edits import serialize_edits
from morango_collection_sync.orphans import let_orphans_wait
from morango_collection_sync.prefixes import Prefixes
from morango_collection_sync.retries import until_settled
from morango_collection_sync.together import apply_together, models_applied_together

_MOST_PREFIXES = 400
"""As many conditions as fit into Morango's statement on SQLite, whose expressions are at most 1000 deep."""

_MOST_TRIES = 5
"""Edits that come in just then are serialized so often before they are left to Morango's own way."""


def apply_stored(profile: str, sync_filter: Iterable[str]) -> None:
    """Apply the records of a filter that wait to be applied, as Morango does, after the edits made here meanwhile.

    With more partitions than one statement of Morango's takes, the other waiting records of their datasets are tried
    with them, so that what they refer to is always applied in the same transaction, and before them.

    :param sync_filter: prefixes of partitions
    :raises OperationalError: for a conflict with other transactions that did not settle
    :raises IntegrityError: when the database refuses rows for another reason than that what they refer to was deleted
        here just then
    """
    sync_filter = tuple(sync_filter)
    for _ in range(_MOST_TRIES - 1):
        try:
            return _apply(profile, sync_filter)
        except IntegrityError:
            # By the next try, a deletion made here meanwhile is serialized, and goes ahead.
            continue
    return _apply(profile, sync_filter)


def _apply(profile: str, sync_filter: tuple[str, ...]) -> None:
    waiting = _waiting(profile, sync_filter)
    if not waiting:
        return
    # First, so that nothing is applied over an edit.
    serialize_edits(profile, sync_filter)
    first, last = models_applied_together(profile)
    if _apply_in_turn(first, waiting, profile, sync_filter):
        waiting = _waiting(profile, sync_filter)
    later = {model.morango_model_name for model in last}
    orphaned = let_orphans_wait(profile, waiting)
    if orphaned:
        # By themselves, and what becomes of them is serialized: what refers to them then finds them there, or deleted.
        _deserialize(profile, orphaned, sync_filter)
        serialize_edits(profile, sync_filter)
        waiting = _waiting(profile, sync_filter)
    if not waiting.keys() <= later:
        in_between = {name: partitions for name, partitions in waiting.items() if name not in later}
        _apply_one_by_one(profile, in_between, sync_filter)
    if _apply_in_turn(last, waiting, profile, sync_filter):
        left = _waiting(profile, sync_filter)
        if not later.isdisjoint(left):
            # With all else that still waits: Morango takes what it cannot apply in this very run for missing, and
            # what could not be applied before for there.
            _apply_one_by_one(profile, left, sync_filter)


def _apply_in_turn(
    models: Iterable[type[SyncableModel]], waiting: Container[str], profile: str, sync_filter: tuple[str, ...]
) -> bool:
    """Apply what waits of these models; whether anything did."""
    of_these = [model for model in models if model.morango_model_name in waiting]
    for model in of_these:
        _apply_after_edits(model, profile, sync_filter)
    return bool(of_these)


def _apply_after_edits(model: type[SyncableModel], profile: str, sync_filter: tuple[str, ...]) -> None:
    """Apply what waits of a model; where somebody edits its rows just now, once these edits are merged."""
    for _ in range(_MOST_TRIES):
        if not until_settled(partial(apply_together, model, profile, Filter("\n".join(sync_filter)))):
            return
        serialize_edits(profile, sync_filter)


def _apply_one_by_one(profile: str, waiting: dict[str, set[str]], sync_filter: tuple[str, ...]) -> None:
    _deserialize(profile, set().union(*waiting.values(), _of_parents(profile, waiting, sync_filter)), sync_filter)


def _deserialize(profile: str, partitions: set[str], sync_filter: tuple[str, ...]) -> None:
    """Let Morango apply what waits in these partitions, or, where they are too many for it, in their datasets."""
    if len(partitions) > _MOST_PREFIXES:
        partitions = {partition[:32] for partition in partitions}
    covering = upstream.CoveringFilter(partitions, sync_filter)
    until_settled(partial(upstream.deserialize, profile, covering))


def _waiting(profile: str, sync_filter: tuple[str, ...]) -> dict[str, set[str]]:
    """The partitions of the filter with records that wait, by their model's name."""
    wanted = Prefixes(sync_filter)
    found: dict[str, set[str]] = {}
    records = Store.objects.filter(profile=profile, dirty_bit=True).order_by()
    for name, partition in records.values_list("model_name", "partition").distinct():
        if wanted.begin(partition):
            found.setdefault(name, set()).add(partition)
    return found


def _of_parents(profile: str, waiting: dict[str, set[str]], sync_filter: tuple[str, ...]) -> set[str]:
    """Where the parents of waiting records can be, which Morango looks for inside the filter alone."""
    names = [
        model.morango_model_name
        for model in syncable_models.get_models(profile)
        if model.morango_model_name in waiting and upstream.self_reference(model)
    ]
    if not names:
        return set()
    wanted = Prefixes(sync_filter)
    stored = Store.objects.filter(profile=profile, model_name__in=names).order_by()
    return {each for each in stored.values_list("partition", flat=True).distinct() if wanted.begin(each)}
