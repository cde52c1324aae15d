"""Reads what unsaved records refer to, for all of them together, so that a model can say where they belong.

A row of this database counts first, then what its Store has of a row that is deleted or not applied here, then what
the same session brings.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Model
from morango.models.core import Buffer, Store, SyncableModel, TransferSession

LEVELS = 3
"""How far records are followed: a group's record leads to the group, its class, and the facility."""


def attach_relations(instances: Sequence[Model], transfer_session: TransferSession) -> None:
    """Put what these refer to into the caches of their foreign keys, and what that refers to, three levels far.

    What is nowhere stays out: a model that asks for it gets its ``DoesNotExist``.

    :param instances: unsaved instances of syncable models
    """
    for _ in range(LEVELS):
        wanted: dict[type[Model], set[str]] = defaultdict(set)
        places: list[tuple[Model, Any, str]] = []
        for instance in instances:
            for field in instance._meta.concrete_fields:
                if not field.is_relation or field.is_cached(instance):
                    continue
                referred = getattr(instance, field.attname)
                if isinstance(referred, str):
                    wanted[field.related_model].add(referred)
                    places.append((instance, field, referred))
        found = {model: _rows(model, ids, transfer_session) for model, ids in wanted.items()}
        for instance, field, referred in places:
            row = found[field.related_model].get(referred)
            if row is not None:
                field.set_cached_value(instance, row)
        instances = [row for rows in found.values() for row in rows.values()]
        if not instances:
            return


def _rows(model: type[Model], ids: Iterable[str], transfer_session: TransferSession) -> dict[str, Model]:
    rows: dict[str, Model] = model._base_manager.in_bulk(list(ids))
    missing = set(ids) - rows.keys()
    if missing and issubclass(model, SyncableModel):
        stored = Store.objects.filter(id__in=missing, model_name=model.morango_model_name)
        _add(rows, model, stored.values_list("id", "serialized"))
        missing -= rows.keys()
    if missing and issubclass(model, SyncableModel):
        sent = Buffer.objects.filter(
            transfer_session=transfer_session, model_uuid__in=missing, model_name=model.morango_model_name
        )
        _add(rows, model, sent.values_list("model_uuid", "serialized"))
    return rows


def _add(rows: dict[str, Model], model: type[SyncableModel], serialized: Iterable[tuple[str, str]]) -> None:
    for record_id, text in serialized:
        try:
            rows[record_id] = model.deserialize(json.loads(text))
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
