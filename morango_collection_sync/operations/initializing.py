"""Initializing: the hub widens the filter by what the user is granted, the client takes what is its own.

Morango lets a filter grow while a transfer session is initialized, never later, and leaves it to its extensions
whether that is right (``morango.sync.context.SessionContext.update``, 0.8.15).
"""

from __future__ import annotations

from typing import Any

from morango.constants.capabilities import ASYNC_OPERATIONS, FSIC_V2_FORMAT
from morango.models.certificates import Filter
from morango.models.core import TransferSession
from morango.sync.context import LocalSessionContext, NetworkSessionContext
from morango.sync.operations import LocalOperation, NetworkInitializeOperation

from morango_collection_sync.conf import OPERATION_PRIORITY
from morango_collection_sync.errors import FilterChanged
from morango_collection_sync.grants import accepted_filter
from morango_collection_sync.operations.later_stages import refuse_if_shrunk
from morango_collection_sync.partitions import is_well_formed, is_within
from morango_collection_sync.policy import get_policy
from morango_collection_sync.refusals import filter_malformed
from morango_collection_sync.sessions import (
    certificate_filter,
    dataset_id_of,
    is_granting_hub,
    understands_grants,
)

Unhandled = bool
"""``False``: Morango goes on with the next operation of the stage."""


class WidenFilter(LocalOperation):
    """On the hub: adds the partitions of the user's grant, for a client that understands grants."""

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> Unhandled:
        """:raises SessionRefused: when the filter is malformed, or a resumed session's grant has shrunk"""
        self._assert(context.is_server)
        self._assert(context.transfer_session is None)
        malformed = [partition for partition in context.filter if not is_well_formed(partition)]
        if malformed:
            raise filter_malformed(malformed)

        resumed = TransferSession.objects.filter(
            sync_session=context.sync_session, push=context.is_push, active=True
        ).first()
        if resumed is not None:
            # Morango goes on with this one, filter and all; a grant that has grown waits for the next sync.
            refuse_if_shrunk(resumed)
            return False

        granted = self._granted(context)
        if granted:
            context.update(sync_filter=Filter.add(context.filter, Filter("\n".join(granted))))
        return False

    def _granted(self, context: LocalSessionContext) -> tuple[str, ...]:
        sync_session = context.sync_session
        # A client of the older protocol is answered from within this stage and could not take a wider filter.
        modern = {ASYNC_OPERATIONS, FSIC_V2_FORMAT} <= context.capabilities
        if not (modern and understands_grants(sync_session.client_instance_data) and is_granting_hub(sync_session)):
            return ()
        policy = get_policy()
        user_id = policy.syncing_user_id(sync_session)
        if user_id is None:
            return ()
        dataset_id = dataset_id_of(sync_session.server_certificate)
        return policy.grant_for(user_id, dataset_id).partitions(push=context.is_push)


class AcceptFilter(NetworkInitializeOperation):
    """On the client: asks for its certificate's filter, takes the hub's wider one where it is its own."""

    priority = OPERATION_PRIORITY

    def create_transfer_session(self, context: NetworkSessionContext) -> dict[str, Any]:
        """Ask the hub, and keep the filter that it answers with.

        :raises FilterRefused: when the hub adds anything but collections of the session's dataset
        :raises FilterChanged: when a session is resumed and the hub holds it with another filter
        """
        transfer_session = context.transfer_session
        own_scope = certificate_filter(context.sync_session.client_certificate, push=context.is_push)
        before = transfer_session.filter
        asked = [partition for partition in Filter(before) if is_within(partition, own_scope)]
        # A resumed session has the wide filter already, but a hub takes only requests inside the certificate.
        transfer_session.filter = "\n".join(asked)
        try:
            response: dict[str, Any] = super().create_transfer_session(context)
        finally:
            transfer_session.filter = before

        dataset_id = dataset_id_of(context.sync_session.client_certificate)
        accepts = get_policy().accepts_partition
        offered = Filter("\n".join(accepted_filter(asked, Filter(response["filter"]), dataset_id, accepts)))
        if offered == Filter(before):
            return response
        if set(asked) != set(Filter(before)):
            self._forget(transfer_session)
            raise FilterChanged(transfer_session.id)
        context.update(sync_filter=offered)
        transfer_session.filter = str(offered)
        transfer_session.save(update_fields=["filter"])
        return response

    @staticmethod
    def _forget(transfer_session: TransferSession) -> None:
        transfer_session.active = False
        transfer_session.save(update_fields=["active"])
