"""Applying many records of a model in few statements, where that is the same as applying them one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, connection, transaction
from morango.models.certificates import Filter
from morango.models.core import DeletedModels, HardDeletedModels, Store, SyncableModel
from morango.registry import syncable_models
from morango.sync.backends.utils import load_backend
from morango.sync.utils import lock_partitions

from morango_collection_sync import upstream
from morango_collection_sync.applied import NotTogether
from morango_collection_sync.partitions import is_hex_id
from morango_collection_sync.prefixes import Prefixes
from morango_collection_sync.value_lists import ids

_NOT_APPLICABLE = (ValidationError, ObjectDoesNotExist, ValueError)
"""What Morango notes at a record that it cannot apply, and goes on (``_deserialize_from_store``, 0.8.15)."""


class _Applicable(NamedTuple):
    record: Store
    row: SyncableModel


class Turns(NamedTuple):
    """The models whose records are applied together, in two turns; each is ahead of those that refer to it.

    :param first: those that refer to none but such models
    :param last: those that refer to others as well, whose turn is in between
    """

    first: list[type[SyncableModel]]
    last: list[type[SyncableModel]]


def models_applied_together(profile: str) -> Turns:
    """The models that say of themselves that they are (:class:`AppliedModel`), and that can be.

    One that is referred to by what is applied one by one, and refers to such a model itself, has no turn.
    """
    models = syncable_models.get_models(profile)
    willing = [model for model in models if getattr(model, "applied_together", False)]
    first: list[type[SyncableModel]] = []
    for model in willing:
        if _referred_to(model) <= {model, *first}:
            first.append(model)
    referred = set().union(*(_referred_to(model) for model in models if model not in willing))
    last = [model for model in willing if model not in first and model not in referred]
    return Turns(first, last)


def _referred_to(model: type[SyncableModel]) -> set[type]:
    return {field.related_model._meta.concrete_model for field in model._meta.concrete_fields if field.is_relation}


def _above(model: type[SyncableModel]) -> set[type]:
    """Everything that a model refers to, and that these refer to in turn."""
    found: set[type] = set()
    left = _referred_to(model)
    while left:
        found |= left
        left = set().union(*map(_referred_to, left)) - found
    return found


def apply_together(model: type[SyncableModel], profile: str, sync_filter: Filter) -> bool:
    """Apply what waits of a model inside a filter, in one transaction. What cannot be applied stays as it is.

    Deleted records stay, too, and so does whatever refers to something that is not there or is deleted: Morango's own
    way knows what to do and to say of each. So does everything while the deletion of something waits that these
    records may refer to, for it takes along what is below it. And so do records whose rows were edited or deleted here
    since edits were serialized last: they would be written over, or come back.

    :param model: of one of :func:`models_applied_together`
    :return: whether any row was edited or deleted meanwhile
    """
    with transaction.atomic():
        datasets = sorted({prefix[:32] for prefix in sync_filter})
        lock_partitions(load_backend(connection), sync_filter=Filter("\n".join(datasets)))
        if _deletion_waits(profile, _above(model)):
            return False
        waiting = _applicable(model, profile, sync_filter)
        here = _rows_here(model, waiting)
        edited = {key for key, is_edited in here.items() if is_edited} | _deleted_here(waiting)
        waiting = [each for each in waiting if each.row.pk not in edited]
        if waiting:
            try:
                with transaction.atomic():
                    rows = [each.row for each in waiting]
                    new, changed = ([row for row in rows if (row.pk in here) is known] for known in (False, True))
                    model.write_together(new, changed)
            except (*_NOT_APPLICABLE, IntegrityError, NotTogether):
                return bool(edited)
            Store.objects.filter(id__in=ids(each.record.id for each in waiting)).update(
                dirty_bit=False, deserialization_error=None, deserialization_exception=None
            )
    return bool(edited)


def _rows_here(model: type[SyncableModel], waiting: Sequence[_Applicable]) -> dict[str, bool]:
    """The rows that are here already, and whether each was edited; nobody edits them until the transaction ends."""
    rows = model._base_manager.filter(pk__in=ids(each.row.pk for each in waiting)).select_for_update()
    return dict(rows.values_list("pk", "_morango_dirty_bit"))


def _deleted_here(waiting: Sequence[_Applicable]) -> set[str]:
    """Those of which a deletion is marked, and not serialized yet. To be asked when their rows are held."""
    wanted = ids(each.row.pk for each in waiting)
    marks = [
        each.objects.filter(id__in=wanted).values_list("id", flat=True) for each in (DeletedModels, HardDeletedModels)
    ]
    return set(marks[0].union(marks[1]))


def _deletion_waits(profile: str, models: Iterable[Any]) -> bool:
    """Whether a row of one of these models is here that is to be deleted."""
    waiting = Store.objects.filter(profile=profile, dirty_bit=True, deleted=True).order_by()
    deleted = set(waiting.values_list("id", flat=True)) if models else set()
    return bool(deleted) and any(model._base_manager.filter(pk__in=ids(deleted)).exists() for model in models)


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
    itself = upstream.self_reference(model)
    left = [each for each in found if each.row.pk == each.record.id and _may_be_written(each.row)]
    complete: list[_Applicable] = []
    while True:
        ready = [each for each in left if named[each.record.id] <= there]
        complete += ready
        if itself is None or not ready:
            return complete
        # These are what others refer to, which come behind them; in a circle, none is ever ready.
        done = {each.record.id for each in ready}
        there |= {(itself, key) for key in done}
        left = [each for each in left if each.record.id not in done]


def _may_be_written(row: SyncableModel) -> bool:
    try:
        row.before_written()
    except (*_NOT_APPLICABLE, IntegrityError):
        return False
    return True


def _there(model: type[SyncableModel], references: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Which references lead to a row that is here, and that is neither deleted for the peers nor waits for a change."""
    every = set().union(*references.values())
    live = Store.objects.filter(id__in=ids(every), deleted=False, hard_deleted=False, dirty_bit=False)
    stored = set(live.values_list("id", flat=True)) if every else set()
    there: set[tuple[str, str]] = set()
    for field in model._meta.concrete_fields:
        if field.attname in references:
            rows = field.related_model._base_manager.filter(pk__in=ids(references[field.attname] & stored))
            there.update((field.attname, key) for key in rows.values_list("pk", flat=True))
    return there
