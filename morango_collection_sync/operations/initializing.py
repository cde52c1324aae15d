"""Initializing: the hub widens the filter by what the user is granted, the client takes what is its own.

Morango lets a filter grow while a transfer session is initialized, never later, and leaves it to its extensions
whether that is right (``morango.sync.context.SessionContext.update``, 0.8.15).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from morango.constants import transfer_stages, transfer_statuses
from morango.constants.capabilities import ASYNC_OPERATIONS, FSIC_V2_FORMAT
from morango.models.certificates import Filter
from morango.models.core import TransferSession
from morango.sync.context import LocalSessionContext, NetworkSessionContext
from morango.sync.operations import LocalOperation, NetworkInitializeOperation

from morango_collection_sync.conf import OPERATION_PRIORITY, TAKEOVER_PRIORITY
from morango_collection_sync.errors import FilterChanged
from morango_collection_sync.granting import granted_now, refuse_if_shrunk
from morango_collection_sync.grants import accepted_filter
from morango_collection_sync.limits import end_oldest_sessions, open_sessions_of, refuse_many_partitions
from morango_collection_sync.long_filters import LongFilter
from morango_collection_sync.partitions import is_well_formed, outside
from morango_collection_sync.policy import get_policy
from morango_collection_sync.refusals import filter_malformed, filter_outside
from morango_collection_sync.sessions import (
    certificate_filter,
    client_certificate_of,
    close_transfer_session,
    dataset_id_of,
    is_granting_hub,
    understands_grants,
)

_MODERN = {ASYNC_OPERATIONS, FSIC_V2_FORMAT}
"""Without these, Morango answers a client from within this stage, and it could not take a wider filter."""


class WidenFilter(LocalOperation):
    """On the hub: adds the partitions of the user's grant, for a client that understands grants."""

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        """Refuse or widen what the client asks for.

        :raises SessionRefused: when the filter is malformed, more than the certificate allows or too long, or a
            resumed session's grant has shrunk
        """
        if not context.is_server or context.transfer_session is not None:
            return False
        refuse_many_partitions(tuple(context.filter))
        malformed = [partition for partition in context.filter if not is_well_formed(partition)]
        if malformed:
            raise filter_malformed(malformed)
        # Morango compares partitions by how they begin, and 'ds:user-rw:ab' begins as 'ds:user-rw:a' does.
        certificate = client_certificate_of(context.sync_session)
        excess = outside(context.filter, certificate_filter(certificate, push=context.is_push))
        if excess:
            raise filter_outside(excess)
        open_sessions = open_sessions_of(context.sync_session)
        resumed = _resumed_session(context, open_sessions)
        if resumed is not None:
            # Morango goes on with this one, filter and all.
            resumed.sync_session = context.sync_session
            refuse_if_shrunk(resumed)
            return False
        end_oldest_sessions([each for each in open_sessions if each.active])
        if _may_be_granted(context):
            granted = granted_now(context.sync_session, push=context.is_push)
            context.update(sync_filter=LongFilter((*context.filter, *granted)))
        return False


class AcceptFilter(NetworkInitializeOperation):
    """On the client: asks for its certificate's filter, takes the hub's wider one where it is its own."""

    priority = OPERATION_PRIORITY

    def create_transfer_session(self, context: NetworkSessionContext) -> dict[str, Any]:
        """Ask the hub, and keep the filter that it answers with.

        :raises FilterRefused: when the hub adds anything but collections of the session's dataset
        :raises FilterChanged: when a session is resumed and the hub holds it with another filter
        """
        transfer_session = context.transfer_session
        certificate = client_certificate_of(context.sync_session)
        before = Filter(transfer_session.filter)
        granted_before = set(outside(before, certificate_filter(certificate, push=context.is_push)))
        asked = [partition for partition in before if partition not in granted_before]
        # A resumed session has the wide filter already, but a hub takes only requests inside the certificate.
        transfer_session.filter = "\n".join(asked)
        try:
            response: dict[str, Any] = super().create_transfer_session(context)
        finally:
            transfer_session.filter = str(before)

        answer = Filter(str(response.get("filter")))
        offered = accepted_filter(asked, answer, dataset_id_of(certificate), get_policy().accepts_partition)
        if set(offered) == set(before):
            return response
        if granted_before:
            close_transfer_session(transfer_session)
            raise FilterChanged(transfer_session.id)
        context.update(sync_filter=LongFilter(offered))
        transfer_session.filter = "\n".join(offered)
        transfer_session.save(update_fields=["filter"])
        return response


class OpenTransferSession(LocalOperation):
    """On the hub: opens a transfer session with one statement.

    Morango looks first whether there is one to take up, whether the id is new, and whether the sync session is there,
    and tries to write over a session of this id (``InitializeOperation``, 0.8.15). What is found out here when the row
    is refused is left to it.
    """

    priority = TAKEOVER_PRIORITY

    def handle(self, context: LocalSessionContext) -> Any:
        """:raises django.core.exceptions.ValidationError: for what does not fit into a transfer session"""
        self._assert(context.is_server)
        self._assert(context.transfer_session is None)
        data, now = context.request.data, timezone.now()
        transfer_session = TransferSession(
            id=data["id"],
            sync_session=context.sync_session,
            push=context.is_push,
            filter=str(context.filter),
            client_fsic=data.get("client_fsic") or "{}",
            records_total=data.get("records_total") if context.is_push else None,
            start_timestamp=now,
            last_activity_timestamp=now,
            transfer_stage=transfer_stages.INITIALIZING,
        )
        transfer_session.clean_fields(exclude=["sync_session"])
        try:
            with transaction.atomic():
                transfer_session.save(force_insert=True)
        except IntegrityError:
            return False
        context.update(transfer_session=transfer_session)
        return transfer_statuses.COMPLETED


def _resumed_session(context: LocalSessionContext, open_sessions: Iterable[TransferSession]) -> TransferSession | None:
    """The session that the client takes up again.

    Morango takes the active one of this direction for it, whatever its id is. A client that asks for another id has
    done with that one, and closing it has not got through.
    """
    resumed = None
    for transfer_session in open_sessions:
        if transfer_session.sync_session_id != context.sync_session.id or transfer_session.push != context.is_push:
            continue
        if transfer_session.id == context.request.data.get("id"):
            resumed = transfer_session
        else:
            close_transfer_session(transfer_session)
    return resumed


def _may_be_granted(context: LocalSessionContext) -> bool:
    sync_session = context.sync_session
    return (
        context.capabilities >= _MODERN
        and understands_grants(sync_session.client_instance_data)
        and is_granting_hub(sync_session)
    )
