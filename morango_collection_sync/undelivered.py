"""Records that came before the rows that they refer to: applied as soon as those are there, named until then."""

from __future__ import annotations

from dataclasses import dataclass

from morango.models.core import Store
from morango.registry import syncable_models

from morango_collection_sync.applying import apply_stored
from morango_collection_sync.models import in_chunks


@dataclass(frozen=True)
class Undelivered:
    """A record that this device has and cannot apply.

    :param record_id: 32 hex digits
    :param model_name: its Morango model name
    :param partition: where it belongs
    :param reason: what kept it from being applied
    """

    record_id: str
    model_name: str
    partition: str
    reason: str


def deliver_waiting(profile: str, dataset_id: str) -> None:
    """Try again to apply every record of a dataset that could not be applied so far.

    Morango tries the records inside a session's filter, and only when the session has brought any
    (``ReceiverDeserializeOperation``, 0.8.15).

    :param profile: the Morango profile
    :param dataset_id: 32 hex digits
    """
    _settle_tombstones(profile, dataset_id)
    waiting = _waiting(profile, dataset_id).order_by()
    apply_stored(profile, waiting.values_list("partition", flat=True).distinct())
    _settle_tombstones(profile, dataset_id)


def undelivered(profile: str, dataset_id: str) -> list[Undelivered]:
    """The records of a dataset that could not be applied, with what kept them from it."""
    applied = _applied_deletions(profile, dataset_id)
    return [
        Undelivered(
            record.id, record.model_name, record.partition, record.deserialization_error or "it was not tried yet"
        )
        for record in _waiting(profile, dataset_id).order_by("partition", "id")
        if record.id not in applied
    ]


def _settle_tombstones(profile: str, dataset_id: str) -> None:
    for chunk in in_chunks(_applied_deletions(profile, dataset_id)):
        Store.objects.filter(id__in=chunk).update(dirty_bit=False)


def _applied_deletions(profile: str, dataset_id: str) -> set[str]:
    """The deleted records whose row is gone, as it should be, and that Morango leaves marked as still to be applied.

    ``_deserialize_from_store`` clears that mark of a deleted record only for models that refer to themselves (0.8.15).
    """
    deleted = _waiting(profile, dataset_id).filter(deleted=True).order_by()
    names = set(deleted.values_list("model_name", flat=True).distinct())
    applied: set[str] = set()
    for model in syncable_models.get_models(profile):
        if model.morango_model_name in names:
            rows = model.syncing_objects.order_by().values("id")
            of_model = deleted.filter(model_name=model.morango_model_name).exclude(id__in=rows)
            applied.update(of_model.values_list("id", flat=True))
    return applied


def _waiting(profile: str, dataset_id: str):  # type: ignore[no-untyped-def]
    return Store.objects.filter(profile=profile, dirty_bit=True, partition__startswith=dataset_id)
