"""What a receiver asks of a session before it stores anything: are its counters sound, and does every record belong.

On a hub this is about what a client pushes; on a client, about what a hub answers a pull with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from morango.constants.capabilities import FSIC_V2_FORMAT
from morango.models.core import Buffer, DatabaseMaxCounter, InstanceIDModel, TransferSession
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY, TAKEOVER_PRIORITY
from morango_collection_sync.models import in_chunks
from morango_collection_sync.partitions import is_within
from morango_collection_sync.receiving import store_received
from morango_collection_sync.refusals import SessionRefused, counters_refused, end_transfer_session, record_refused
from morango_collection_sync.sessions import (
    certificate_filter,
    client_certificate_of,
    covers_dataset,
    dataset_id_of,
    server_certificate_of,
    understands_grants,
)
from morango_collection_sync.verification.counters import (
    SavedCounter,
    counters_problem,
    declared_of,
    justified,
    parsed_counters,
    prefixes_of,
    sound_part,
)
from morango_collection_sync.verification.records import Scope, Sender
from morango_collection_sync.verifier import RecordVerifier


class CheckCounters(LocalOperation):
    """On the hub: ends a session whose client declares counters that are no counters, or not of the filter.

    It stands before the first stage that stores them or puts them into SQL.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        """:raises SessionRefused: when the counters are not to be used"""
        self._assert(context.is_server)
        data = context.request.data
        declared = _check(context, data.get("client_fsic", "{}") if isinstance(data, Mapping) else "{}")
        if context.is_push and FSIC_V2_FORMAT in context.capabilities:
            _lower_to_its_own(context, declared)
        return False


class QueueBySoundCounters(LocalOperation):
    """On the sender: leaves out of both sides' counters what is not to be put into SQL.

    What a client has declared to a hub was checked before. A hub's answer is not, nor is what this database has been
    made to believe before this extension was there: one malformed partition breaks every sync of the whole facility.
    """

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(context.is_producer)
        self._assert(context.transfer_session is not None)
        for name in ("client_fsic", "server_fsic"):
            before = parsed_counters(getattr(context.transfer_session, name))
            sound = _sound(context, before)
            if sound != before:
                setattr(context.transfer_session, name, json.dumps(sound))
                context.transfer_session.save(update_fields=[name])
        return False


class VerifyRecords(LocalOperation):
    """On the client of a pull: ends a session that brings a record which breaks a rule. Nothing is stored then."""

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        """:raises SessionRefused: when a record breaks a rule"""
        self._assert(context.is_receiver)
        self._assert(not context.is_server)
        refusal = _refusal_of_records(context)
        if refusal is not None:
            end_transfer_session(context.transfer_session, refusal)
            raise refusal
        return False


class TakeJustifiedCounters(LocalOperation):
    """On the client of a pull, last before Morango stores: leaves of the hub's counters what its records show."""

    priority = OPERATION_PRIORITY - 1

    def handle(self, context: LocalSessionContext) -> bool:
        self._assert(context.is_receiver)
        self._assert(not context.is_server)
        _take_justified(context, _sound(context, parsed_counters(context.transfer_session.server_fsic)))
        return False


class StoreVerified(LocalOperation):
    """On the hub of a push: verifies and stores in one transaction, in which no further record can come in.

    It ends the stage, and so stands behind all that a host adds to it.
    """

    priority = TAKEOVER_PRIORITY

    def handle(self, context: LocalSessionContext) -> Any:
        """:raises SessionRefused: when a record breaks a rule, or the counters are not to be used"""
        self._assert(context.is_receiver)
        self._assert(context.is_server)
        declared = _check(context, context.transfer_session.client_fsic)
        with transaction.atomic():
            _hold_back_records(context.transfer_session)
            refusal = _refusal_of_records(context)
            if refusal is None:
                _take_justified(context, declared)
                return store_received(context)
        # Outside of the transaction, which the error would undo, and the end of the session with it.
        end_transfer_session(context.transfer_session, refusal)
        raise refusal


def _hold_back_records(transfer_session: TransferSession) -> None:
    """Let nothing into a session's buffers until the transaction ends: it would be stored, and not be verified."""
    rows = TransferSession.objects.filter(pk=transfer_session.pk)
    # PostgreSQL keeps others from referring to a row when it is asked to; SQLite locks at the first thing written.
    rows.select_for_update().get()
    rows.update(last_activity_timestamp=timezone.now())


def _refusal_of_records(context: LocalSessionContext) -> SessionRefused | None:
    finding = RecordVerifier(context.transfer_session, scope_of(context), sender_of(context)).first_finding()
    return None if finding is None else record_refused(finding.record_id, finding.rule)


def _take_justified(context: LocalSessionContext, declared: Any) -> None:
    transfer_session = context.transfer_session
    own, _ = InstanceIDModel.get_or_create_current_instance()
    saved = _saved_counters(transfer_session)
    taken = justified(
        declared,
        saved,
        context.filter,
        own.id,
        _held_counters({each.instance_id for each in saved}),
        by_partition=FSIC_V2_FORMAT in context.capabilities,
    )
    name = "client_fsic" if context.is_server else "server_fsic"
    setattr(transfer_session, name, json.dumps(taken))
    transfer_session.save(update_fields=[name])


def sender_of(context: LocalSessionContext) -> Sender:
    """Whom a session's records come from, on the side that receives them."""
    if context.is_server and not covers_dataset(client_certificate_of(context.sync_session)):
        return Sender.MEMBER
    return Sender.HUB


def scope_of(context: LocalSessionContext) -> Scope:
    """What a session may bring, on the side that receives it.

    What its user was granted has been asked again by now, so that what its filter holds may be written.
    """
    sync_session = context.sync_session
    partitions = tuple(context.transfer_session.get_filter())
    own = certificate_filter(client_certificate_of(sync_session), push=True) if context.is_server else ()
    return Scope(
        dataset_id=dataset_id_of(server_certificate_of(sync_session)),
        profile=sync_session.profile,
        partitions=partitions,
        writable=tuple(dict.fromkeys(partitions + own)),
    )


def _check(context: LocalSessionContext, text: Any) -> Any:
    declared = parsed_counters(text)
    if declared == {}:
        # Nothing at all, as a client sends before it has counted.
        return {"sub": {}, "super": {}} if FSIC_V2_FORMAT in context.capabilities else {}
    problem = counters_problem(declared, context.filter, by_partition=FSIC_V2_FORMAT in context.capabilities)
    if problem is not None:
        refusal = counters_refused(problem)
        end_transfer_session(context.transfer_session, refusal)
        raise refusal
    return declared


def _sound(context: LocalSessionContext, declared: Any) -> Any:
    return sound_part(declared, context.filter, by_partition=FSIC_V2_FORMAT in context.capabilities)


def _lower_to_its_own(context: LocalSessionContext, declared: Any) -> None:
    """Believe a device of its own counters, where somebody else has made this database believe in higher ones.

    A device that understands grants notices them itself, and takes another instance id; for any other one they would
    mean that it is never asked again.
    """
    sync_session = context.sync_session
    if sync_session.client_instance_id is None or understands_grants(sync_session.client_instance_data):
        return
    instance_id = sync_session.client_instance_id.hex
    own = dict(declared_of(declared, instance_id))
    if not own:
        return
    for row in DatabaseMaxCounter.objects.filter(instance_id=instance_id, counter__gt=min(own.values())):
        claims = [own[prefix] for prefix in ("", *prefixes_of(row.partition)) if prefix in own]
        if claims and row.counter > max(claims) and is_within(row.partition, context.filter):
            row.counter = max(claims)
            row.save(update_fields=["counter"])


def _saved_counters(transfer_session: TransferSession) -> list[SavedCounter]:
    rows = (
        Buffer.objects.filter(transfer_session=transfer_session)
        .order_by()
        .values_list("partition", "last_saved_instance")
        .annotate(greatest=Max("last_saved_counter"))
    )
    return [SavedCounter(*row) for row in rows]


def _held_counters(instance_ids: set[str]) -> dict[tuple[str, str], int]:
    held: dict[tuple[str, str], int] = {}
    for chunk in in_chunks(instance_ids):
        rows = DatabaseMaxCounter.objects.filter(instance_id__in=chunk).values_list(
            "partition", "instance_id", "counter"
        )
        held.update({(partition, instance_id): counter for partition, instance_id, counter in rows})
    return held
