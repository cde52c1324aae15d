"""Records that came before the rows that they refer to: applied as soon as those are there, named until then."""

from __future__ import annotations

from dataclasses import dataclass

from morango.models.certificates import Filter
from morango.models.core import Store
from morango.sync.controller import MorangoProfileController

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
    waiting = _waiting(profile, dataset_id).order_by()
    partitions = set(waiting.values_list("partition", flat=True).distinct())
    for chunk in in_chunks(partitions):
        MorangoProfileController(profile).deserialize_from_store(filter=Filter("\n".join(chunk)))


def undelivered(profile: str, dataset_id: str) -> list[Undelivered]:
    """The records of a dataset that could not be applied, with what kept them from it."""
    return [
        Undelivered(
            record.id, record.model_name, record.partition, record.deserialization_error or "it was not tried yet"
        )
        for record in _waiting(profile, dataset_id).order_by("partition", "id")
    ]


def _waiting(profile: str, dataset_id: str):  # type: ignore[no-untyped-def]
    return Store.objects.filter(profile=profile, dirty_bit=True, partition__startswith=dataset_id)
