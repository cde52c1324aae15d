"""Every stage after initializing: the hub asks the policy again before it reads or writes a record."""

from __future__ import annotations

from morango.models.core import TransferSession
from morango.sync.context import LocalSessionContext
from morango.sync.operations import LocalOperation

from morango_collection_sync.conf import OPERATION_PRIORITY
from morango_collection_sync.partitions import outside
from morango_collection_sync.policy import get_policy
from morango_collection_sync.refusals import end_transfer_session, grant_shrunk
from morango_collection_sync.sessions import dataset_id_of, granted_partitions


class AskPolicyAgain(LocalOperation):
    """On the hub: ends a session that carries a collection which its user may no longer sync."""

    priority = OPERATION_PRIORITY

    def handle(self, context: LocalSessionContext) -> bool:
        """:raises SessionRefused: when the grant has shrunk"""
        self._assert(context.is_server)
        self._assert(context.transfer_session is not None)
        refuse_if_shrunk(context.transfer_session)
        return False


def refuse_if_shrunk(transfer_session: TransferSession) -> None:
    """End a session on the hub whose user may no longer sync all that it was granted.

    :raises SessionRefused: when that is so; the session has ended then
    """
    granted = granted_partitions(transfer_session)
    if not granted:
        return
    sync_session = transfer_session.sync_session
    policy = get_policy()
    user_id = policy.syncing_user_id(sync_session)
    allowed: tuple[str, ...] = ()
    if user_id is not None:
        dataset_id = dataset_id_of(sync_session.server_certificate)
        push = transfer_session.push
        allowed = policy.grant_for(user_id, dataset_id).partitions(push=push)
        allowed += policy.host_partitions(user_id, dataset_id, push=push)
    lost = outside(granted, allowed)
    if lost:
        refusal = grant_shrunk(lost)
        end_transfer_session(transfer_session, refusal)
        raise refusal
