"""What a sync did for the users of a device, and what it has left there to be told of, on any host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from morango_collection_sync.models import QuarantinedEdit
from morango_collection_sync.partitions import is_collection_partition, parse_collection_partition
from morango_collection_sync.reports import SyncReport
from morango_collection_sync.undelivered import Undelivered, undelivered

CollectionNames = Callable[[Iterable[str]], Mapping[str, str]]
"""What collections are called, by id; those that this device does not know are left out."""


@dataclass(frozen=True)
class UserSync:
    """What one sync did for one user of this device.

    :param user: the username; None where a hub syncs its whole facility
    :param collections: names of the collections that this user's sessions carried
    :param report: what was transferred, and what it cost
    """

    user: str | None
    collections: tuple[str, ...]
    report: SyncReport

    def as_json(self) -> dict[str, Any]:
        """The form in which ``sync --json`` prints it."""
        return {
            "user": self.user,
            "pulled": self.report.records(push=False),
            "pushed": self.report.records(push=True),
            "collections": list(self.collections),
            "requests": self.report.requests,
            "bytes_received": self.report.bytes_received,
            "bytes_sent": self.report.bytes_sent,
            "seconds": round(self.report.seconds, 3),
        }


@dataclass(frozen=True)
class Aftermath:
    """What a sync has left on this device to be told of.

    :param released: for each collection that was released, its name and how many records went
    :param restored: how many edits came back from quarantine, to be pushed
    :param quarantine: how many edits are in quarantine now
    :param undelivered: the records that are here and could not be applied
    """

    released: dict[str, int]
    restored: int
    quarantine: int
    undelivered: list[Undelivered]

    def as_json(self) -> dict[str, Any]:
        """The form in which ``sync --json`` prints it, beside what it did for each user."""
        return {
            "released": self.released,
            "restored": self.restored,
            "quarantine": self.quarantine,
            "undelivered": [{"id": record.record_id, "reason": record.reason} for record in self.undelivered],
        }


def user_sync(user: str | None, report: SyncReport, names: CollectionNames) -> UserSync:
    """What a sync did, with the names of the collections that it carried."""
    ids = {
        parse_collection_partition(partition).collection_id
        for transfer in report.transfers
        for partition in transfer.partitions
        if is_collection_partition(partition)
    }
    return UserSync(user, tuple(sorted(names(ids).values())), report)


def aftermath(done: Iterable[UserSync], names: CollectionNames, profile: str, dataset_ids: Iterable[str]) -> Aftermath:
    """What these syncs, one after the other, have left on this device.

    :param dataset_ids: those of this device, 32 hex digits each
    """
    outcomes = [transfer.outcome for each in done for transfer in each.report.transfers]
    released = {key: records for outcome in outcomes for key, records in outcome.released.items()}
    called = names(released)
    return Aftermath(
        {called.get(key, key): records for key, records in released.items()},
        sum(outcome.restored for outcome in outcomes),
        QuarantinedEdit.objects.count(),
        [record for dataset_id in dataset_ids for record in undelivered(profile, dataset_id)],
    )
