"""Records whose rows are gone although nobody has deleted them: they went with what they hang on.

Where Morango deletes a row, the database takes along what refers to it, and the Store keeps the records of that for
applied (0.8.15). What refers to one of these looks to Morango as if it could be written, and the database refuses the
whole run for it, in every sync again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from morango.models.core import Store
from morango.registry import syncable_models

from morango_collection_sync.partitions import is_hex_id
from morango_collection_sync.value_lists import ids


def let_orphans_wait(profile: str, waiting: Iterable[str]) -> set[str]:
    """Let records wait to be applied again that waiting ones refer to, and that have no row.

    :param waiting: the names of the models with records that wait
    :return: the partitions of what waits again
    """
    models = {model.morango_model_name: model for model in syncable_models.get_models(profile)}
    records = Store.objects.filter(profile=profile, model_name__in=list(waiting), dirty_bit=True, deleted=False)
    partitions: set[str] = set()
    left = list(records.values_list("model_name", "serialized"))
    while left:
        named = {key for name, serialized in left for key in _references(models.get(name), serialized)}
        applied = Store.objects.filter(
            profile=profile, id__in=ids(named), dirty_bit=False, deleted=False, hard_deleted=False
        )
        of_model: dict[str, dict[str, tuple[str, str]]] = {}
        for key, name, partition, serialized in applied.values_list("id", "model_name", "partition", "serialized"):
            of_model.setdefault(name, {})[key] = (partition, serialized)
        left = []
        for name in of_model.keys() & models.keys():
            rows = models[name]._base_manager.filter(pk__in=ids(of_model[name]))
            here = set(rows.values_list("pk", flat=True))
            gone = {key: found for key, found in of_model[name].items() if key not in here}
            Store.objects.filter(id__in=ids(gone)).update(dirty_bit=True)
            partitions |= {partition for partition, _ in gone.values()}
            left += [(name, serialized) for _, serialized in gone.values()]
    return partitions


def _references(model: Any, serialized: str) -> Iterator[str]:
    try:
        content = json.loads(serialized)
    except ValueError:
        return
    if model is None or not isinstance(content, dict):
        return
    for field in model._meta.concrete_fields:
        key = content.get(field.attname) if field.is_relation else None
        if isinstance(key, str) and is_hex_id(key):
            yield key
