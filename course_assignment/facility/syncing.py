"""Syncing this device with a hub: for each of its users, or, from a hub, for the whole facility."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

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
from course_assignment.facility.models import FULL_FACILITY, PROFILE, SINGLE_USER, KnownHub
from course_assignment.syncing import Aftermath, UserSync, aftermath, user_sync
from morango_collection_sync.sessions import dataset_id_of


def left_behind(done: Iterable[UserSync]) -> Aftermath:
    """What these syncs, one after the other, have left on this device."""
    dataset_id = device_dataset_id()
    return aftermath(done, collection_names, PROFILE, [dataset_id] if dataset_id else [])


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
        report = hub.driver.sync(certificate, partial(hub.certificate, dataset_id_of(certificate)))
        hub.remember()
        yield user_sync(_username(certificate), report, collection_names)


def _username(certificate: Certificate) -> str | None:
    if certificate.scope_definition_id == FULL_FACILITY:
        return None
    return usernames([certificate_user_id(certificate)])[0]
