"""Syncing this device with a hub: for each of its users, or, from a hub, for the whole facility."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from morango.models.certificates import Certificate

from course_assignment.facility.device import (
    certificate_user_id,
    device_dataset_id,
    own_certificates,
    usernames,
)
from course_assignment.facility.errors import NoHubKnown
from course_assignment.facility.explanations import collection_names
from course_assignment.facility.hubs import Hub
from course_assignment.facility.lookup import full_name
from course_assignment.facility.models import FULL_FACILITY, PROFILE, SINGLE_USER, Collection, KnownHub
from morango_collection_sync.models import QuarantinedEdit
from morango_collection_sync.partitions import is_collection_partition, parse_collection_partition
from morango_collection_sync.reports import SyncReport
from morango_collection_sync.undelivered import Undelivered, undelivered


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


def aftermath(done: Iterable[UserSync]) -> Aftermath:
    """What these syncs, one after the other, have left on this device."""
    outcomes = [transfer.outcome for user_sync in done for transfer in user_sync.report.transfers]
    released = {key: records for outcome in outcomes for key, records in outcome.released.items()}
    names = collection_names(released)
    dataset_id = device_dataset_id()
    return Aftermath(
        {names.get(key, key): records for key, records in released.items()},
        sum(outcome.restored for outcome in outcomes),
        QuarantinedEdit.objects.count(),
        undelivered(PROFILE, dataset_id) if dataset_id else [],
    )


def last_hub() -> str:
    """The address of the hub that this device has synced with last.

    :raises NoHubKnown: when it never has
    """
    known = KnownHub.objects.order_by("-last_synced_at").first()
    if known is None:
        raise NoHubKnown
    return str(known.base_url)


def device_certificates() -> list[Certificate]:
    """What this device syncs with: a hub's own certificate, else one for each user."""
    return own_certificates(FULL_FACILITY)[:1] or own_certificates(SINGLE_USER)


def sync_all(hub: Hub, certificates: Iterable[Certificate]) -> Iterator[UserSync]:
    """Pull and push for one certificate of this device after the other.

    :raises OtherFacility: when the hub has another facility
    :raises CollectionSyncError: when the hub ends a session, or offers what this device must not take
    :raises requests.exceptions.RequestException: when the connection is lost; the next sync goes on from there
    """
    for certificate in certificates:
        server_certificate = hub.certificate(certificate.get_root().id)
        report = hub.driver.sync(certificate, server_certificate)
        hub.remember()
        yield UserSync(_username(certificate), _collection_names(report), report)


def _username(certificate: Certificate) -> str | None:
    if certificate.scope_definition_id == FULL_FACILITY:
        return None
    return usernames([certificate_user_id(certificate)])[0]


def _collection_names(report: SyncReport) -> tuple[str, ...]:
    ids = {
        parse_collection_partition(partition).collection_id
        for transfer in report.transfers
        for partition in transfer.partitions
        if is_collection_partition(partition)
    }
    return tuple(sorted(full_name(row) for row in Collection.objects.filter(id__in=ids).select_related("parent")))
