"""What a completed pull means for the device: what came, what goes, what may be synced again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from functools import partial
from typing import Any

from django.db import transaction
from morango.models.core import Store, SyncSession, TransferSession

from morango_collection_sync.partitions import is_collection_partition, parse_collection_partition
from morango_collection_sync.policy import get_policy
from morango_collection_sync.quarantine import offer_back
from morango_collection_sync.release import prepare_release, release_prepared
from morango_collection_sync.reports import PullOutcome
from morango_collection_sync.sessions import client_certificate_of, dataset_id_of
from morango_collection_sync.signals import collection_received, tell
from morango_collection_sync.undelivered import deliver_waiting, undelivered
from morango_collection_sync.value_lists import texts

_EXTRA_FIELD = "collection_sync_pulls"


def finish_pull(transfer_session: TransferSession) -> PullOutcome:
    """Do what is due at the end of a pull, and note it with the sync session. Doing it again changes nothing.

    :param transfer_session: the pull, all of whose records are applied as far as they can be
    """
    noted = _noted(transfer_session)
    if noted is not None:
        return noted
    profile = transfer_session.sync_session.profile
    dataset_id = dataset_id_of(client_certificate_of(transfer_session.sync_session))
    deliver_waiting(profile, dataset_id)
    prepare_release(profile, dataset_id)
    with transaction.atomic():
        outcome = _finish(transfer_session, profile, dataset_id)
        _note(transfer_session, outcome)
        transaction.on_commit(partial(_tell, type(get_policy()), dataset_id, outcome.received))
    return outcome


def outcome_of(transfer_session: TransferSession) -> PullOutcome:
    """What the end of this pull has led to; nothing for one that has not ended."""
    return _noted(transfer_session) or PullOutcome()


def _finish(transfer_session: TransferSession, profile: str, dataset_id: str) -> PullOutcome:
    released = release_prepared(profile, dataset_id, finishing=transfer_session)
    kept = [
        partition
        for partition in transfer_session.get_filter()
        if is_collection_partition(partition) and partition not in released.partitions
    ]
    offered = offer_back(profile, dataset_id, kept)
    return PullOutcome(
        received=_received(transfer_session, kept),
        released={
            parse_collection_partition(partition).collection_id: records
            for partition, records in released.partitions.items()
            if partition not in released.to_fetch_again
        },
        to_fetch_again=sorted(released.to_fetch_again),
        quarantined=released.quarantined,
        restored=offered.restored,
        waiting=offered.waiting,
        undelivered=len(undelivered(profile, dataset_id)),
    )


def _received(transfer_session: TransferSession, partitions: list[str]) -> dict[str, int]:
    came = Store.objects.filter(last_transfer_session_id=transfer_session.id, partition__in=texts(partitions))
    counts = Counter(came.values_list("partition", flat=True))
    return {parse_collection_partition(partition).collection_id: count for partition, count in counts.items()}


def _tell(sender: type, dataset_id: str, received: dict[str, int]) -> None:
    for collection_id, records in sorted(received.items()):
        tell(collection_received, sender, dataset_id=dataset_id, collection_id=collection_id, records=records)


def _noted(transfer_session: TransferSession) -> PullOutcome | None:
    outcomes = _extra(transfer_session.sync_session).get(_EXTRA_FIELD, {})
    return PullOutcome(**outcomes[transfer_session.id]) if transfer_session.id in outcomes else None


def _note(transfer_session: TransferSession, outcome: PullOutcome) -> None:
    sync_session = transfer_session.sync_session
    extra = _extra(sync_session)
    # Of the last pull only: a sync session may see many.
    extra[_EXTRA_FIELD] = {transfer_session.id: asdict(outcome)}
    sync_session.extra_fields = json.dumps(extra)
    sync_session.save(update_fields=["extra_fields"])


def _extra(sync_session: SyncSession) -> dict[str, Any]:
    sync_session.refresh_from_db(fields=["extra_fields"])
    extra: dict[str, Any] = json.loads(sync_session.extra_fields or "{}")
    return extra
