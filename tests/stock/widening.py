"""A filter widened as Kolibri does it: once, when the transfer session is made, for whoever asks."""

from __future__ import annotations

from typing import Any

from morango.models.certificates import Filter
from morango.sync.context import LocalSessionContext, NetworkSessionContext
from morango.sync.operations import LocalOperation, NetworkInitializeOperation

from morango_collection_sync.policy import get_policy
from morango_collection_sync.sessions import dataset_id_of


class WidenOnce(LocalOperation):
    """Adds what the user may sync when the session begins, and asks nothing later."""

    def handle(self, context: LocalSessionContext) -> bool:
        if not context.is_server or context.transfer_session is not None:
            return False
        policy = get_policy()
        user_id = policy.syncing_user_id(context.sync_session)
        if user_id is not None:
            grant = policy.grant_for(user_id, dataset_id_of(context.sync_session.client_certificate))
            granted = grant.partitions(push=context.is_push)
            context.update(sync_filter=Filter("\n".join((*context.filter, *granted))))
        return False


class TakeWider(NetworkInitializeOperation):
    """On the client: takes whatever filter the hub answers with, as Kolibri's does."""

    def create_transfer_session(self, context: NetworkSessionContext) -> dict[str, Any]:
        response: dict[str, Any] = super().create_transfer_session(context)
        context.transfer_session.filter = response["filter"]
        context.transfer_session.save(update_fields=["filter"])
        context.update(sync_filter=Filter(response["filter"]))
        return response
