"""Applying many records of a model in few statements, where that is the same as applying them one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from typing import NamedTuple

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, connection, transaction
from morango.models.certificates import Filter
from morango.models.core import Store, SyncableModel
from morango.registry import syncable_models
from morango.sync.backends.utils import load_backend
from morango.sync.utils import lock_partitions

from morango_collection_sync import upstream
from morango_collection_sync.models import collection_scoped_models
from morango_collection_sync.partitions import is_hex_id
from morango_collection_sync.prefixes import Prefixes
from morango_collection_sync.value_lists import ids

_BATCH = 100
"""Rows written in one statement: each is a condition of an update, and SQLite's conditions are at most 1000 deep."""

_NOT_APPLICABLE = (ValidationError, ObjectDoesNotExist, ValueError)
"""What Morango notes at a record that it cannot apply, and goes on (``_deserialize_from_store``, 0.8.15)."""


class _Applicable(NamedTuple):
    record: Store
    row: SyncableModel


def models_applied_together(profile: str) -> list[type[SyncableModel]]:
    """The models whose records are applied together, those that refer to others behind them.

    They say so themselves (``CollectionScopedModel.applied_together``), and nothing that is applied one by one refers
    to them: that goes first.
    """
    chosen = [
        model
        for model in collection_scoped_models(profile)
        if getattr(model, "applied_together", False) and upstream.self_reference(model) is None
    ]
    referred = {
        field.related_model
        for model in syncable_models.get_models(profile)
        if model not in chosen
        for field in model._meta.concrete_fields
        if field.is_relation
    }
    return [] if referred.intersection(chosen) else chosen


def apply_together(model: type[SyncableModel], profile: str, sync_filter: Filter) -> bool:
    """Apply what waits of a model inside a filter, in one transaction. What cannot be applied stays as it is.

    Deleted records stay, too, and so does whatever refers to something that is not there or is deleted: Morango's own
    way knows what to do and to say of each. And so do records whose rows were edited here since edits were serialized
    last: they would be written over.

    :param model: one of :func:`models_applied_together`
    :return: whether any row was edited meanwhile
    """
    with transaction.atomic():
        datasets = {prefix[:32] for prefix in sync_filter}
        lock_partitions(load_backend(connection), sync_filter=Filter("\n".join(datasets)))
        waiting = _applicable(model, profile, sync_filter)
        here = _rows_here(model, waiting)
        edited = {key for key, is_edited in here.items() if is_edited}
        waiting = [each for each in waiting if each.row.pk not in edited]
        if waiting:
            try:
                with transaction.atomic():
                    _write(model, [each.row for each in waiting], here)
            except IntegrityError:
                return bool(edited)
            Store.objects.filter(id__in=ids(each.record.id for each in waiting)).update(
                dirty_bit=False, deserialization_error=None, deserialization_exception=None
            )
    return bool(edited)


def _rows_here(model: type[SyncableModel], waiting: Sequence[_Applicable]) -> dict[str, bool]:
    """The rows that are here already, and whether each was edited; nobody edits them until the transaction ends."""
    rows = model._base_manager.filter(pk__in=ids(each.row.pk for each in waiting)).select_for_update()
    return dict(rows.values_list("pk", "_morango_dirty_bit"))


def _applicable(model: type[SyncableModel], profile: str, sync_filter: Filter) -> list[_Applicable]:
    wanted = Prefixes(sync_filter)
    records = Store.objects.filter(
        profile=profile, model_name=model.morango_model_name, dirty_bit=True, deleted=False, hard_deleted=False
    )
    found: list[_Applicable] = []
    references: dict[str, set[str]] = defaultdict(set)
    named: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for record in records:
        if not wanted.begin(record.partition):
            continue
        try:
            row, deferred = upstream.deserialized(record, sync_filter)
        except _NOT_APPLICABLE:
            continue
        found.append(_Applicable(record, row))
        for reference in (each for of_model in deferred.values() for each in of_model):
            named[record.id].add((reference.from_field, reference.to_pk))
            if is_hex_id(reference.to_pk):
                references[reference.from_field].add(reference.to_pk)
    there = _there(model, references)
    complete = [each for each in found if each.row.pk == each.record.id and named[each.record.id] <= there]
    return [each for each in complete if _may_be_written(each.row)]


def _may_be_written(row: SyncableModel) -> bool:
    try:
        row.before_written()
    except (*_NOT_APPLICABLE, IntegrityError):
        return False
    return True


def _there(model: type[SyncableModel], references: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Which references lead to a row that is here, and is not deleted for the peers."""
    every = set().union(*references.values())
    live = Store.objects.filter(id__in=ids(every), deleted=False, hard_deleted=False)
    stored = set(live.values_list("id", flat=True)) if every else set()
    there: set[tuple[str, str]] = set()
    for field in model._meta.concrete_fields:
        if field.attname in references:
            rows = field.related_model._base_manager.filter(pk__in=ids(references[field.attname] & stored))
            there.update((field.attname, key) for key in rows.values_list("pk", flat=True))
    return there


def _write(model: type[SyncableModel], rows: Sequence[SyncableModel], here: Container[str]) -> None:
    # Not the host's manager: what it refuses or marks when people change rows in bulk is not what this is.
    manager = model._base_manager
    names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    manager.bulk_create([row for row in rows if row.pk not in here], batch_size=_BATCH)
    manager.bulk_update([row for row in rows if row.pk in here], names, batch_size=_BATCH)
