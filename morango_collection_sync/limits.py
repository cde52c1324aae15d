"""What one peer can make this side hold, and what happens beyond it. The numbers are settings (``conf``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from morango.models.core import Buffer, SyncSession, TransferSession

from morango_collection_sync import conf
from morango_collection_sync.models import in_chunks
from morango_collection_sync.refusals import (
    SessionRefused,
    end_transfer_session,
    record_refused,
    too_many_open,
    too_many_partitions,
    too_many_records,
)
from morango_collection_sync.sessions import client_certificate_of, covers_dataset
from morango_collection_sync.verification.rules import Rule


def refuse_many_partitions(partitions: Sequence[str]) -> None:
    """:raises SessionRefused: when a client asks for more partitions than ``MAX_PARTITIONS_PER_FILTER``"""
    limit = conf.max_partitions_per_filter()
    if len(partitions) > limit:
        raise too_many_partitions(len(partitions), limit)


def refuse_many_records(transfer_session: TransferSession, announced: int) -> None:
    """End a session for which a single user's device announces more than ``MAX_RECORDS_PER_SESSION`` records.

    :raises SessionRefused: when it does
    """
    limit = conf.max_records_per_session()
    if announced > limit and not covers_dataset(client_certificate_of(transfer_session.sync_session)):
        _end(transfer_session, too_many_records(announced, limit))


def refuse_large_chunk(transfer_session: TransferSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """End a session with a record beyond ``MAX_RECORD_BYTES`` or of another profile, or with more than announced.

    :param rows: a chunk of records, of the form that Morango takes
    :raises SessionRefused: when there is such a record, or too many
    """
    largest = conf.max_record_bytes()
    for row in rows:
        if row["profile"] != transfer_session.sync_session.profile:
            # Morango looks the model up in the profile that the record names, before it sets it right.
            _end(transfer_session, record_refused(row["model_uuid"], Rule.PROFILE))
        if len(row["serialized"].encode()) + len(row["conflicting_serialized_data"].encode()) > largest:
            _end(transfer_session, record_refused(row["model_uuid"], Rule.SIZE))
    here = Buffer.objects.filter(transfer_session=transfer_session)
    again = sum(here.filter(model_uuid__in=ids).count() for ids in in_chunks(row["model_uuid"] for row in rows))
    records = here.count() - again + len(rows)
    if records > (transfer_session.records_total or 0):
        _end(transfer_session, too_many_records(records, transfer_session.records_total or 0))


def open_sessions_of(sync_session: SyncSession) -> list[TransferSession]:
    """The transfer sessions that this client's certificate has open, newest first, without what may be long in them."""
    sessions = TransferSession.objects.filter(
        active=True,
        sync_session__is_server=True,
        sync_session__client_certificate_id=sync_session.client_certificate_id,
    )
    return list(sessions.order_by("-last_activity_timestamp").defer("filter", "client_fsic", "server_fsic"))


def end_oldest_sessions(open_sessions: Sequence[TransferSession]) -> None:
    """Make room for one more transfer session of a client's certificate, which may have a few open.

    The oldest ones end: a device whose connection breaks leaves one behind each time, and must not lock itself out.

    :param open_sessions: those that it has, newest first
    """
    limit = conf.max_open_transfer_sessions()
    for transfer_session in open_sessions[limit - 1 :]:
        end_transfer_session(transfer_session, too_many_open(limit))


def end_oldest_sync_sessions(client_certificate_id: str) -> None:
    """Close the sync sessions that a client's certificate has open beyond ``MAX_OPEN_SYNC_SESSIONS``, the oldest ones.

    A device leaves one open for its next sync, and for good when it loses its database. Those in which a transfer
    session is open are bounded with that.
    """
    open_sessions = SyncSession.objects.filter(active=True, is_server=True, client_certificate_id=client_certificate_id)
    idle = open_sessions.exclude(transfersession__active=True).order_by("-last_activity_timestamp")
    ended = [row.pk for row in idle.only("pk")[conf.max_open_sync_sessions() :]]
    SyncSession.objects.filter(pk__in=ended).update(active=False)


def _end(transfer_session: TransferSession, refusal: SessionRefused) -> None:
    end_transfer_session(transfer_session, refusal)
    raise refusal
