"""What a hub grants the client of a session: its policy is asked, and asked again as long as the session lasts."""

from __future__ import annotations

from morango.models.core import SyncSession, TransferSession

from morango_collection_sync.errors import InvalidGrant
from morango_collection_sync.partitions import outside
from morango_collection_sync.policy import get_policy
from morango_collection_sync.refusals import end_transfer_session, grant_shrunk
from morango_collection_sync.sessions import dataset_id_of, granted_partitions, issued_by_hub


def granted_now(sync_session: SyncSession, *, push: bool) -> tuple[str, ...]:
    """The partitions of the collections that the user of a session may sync now, by what this database knows.

    :param push: the direction: writable collections on a push, readable ones on a pull
    :raises InvalidGrant: when the host's policy answers for another dataset than it was asked for
    """
    policy = get_policy()
    user_id = _user_of(sync_session)
    if user_id is None:
        return ()
    dataset_id = dataset_id_of(sync_session.client_certificate)
    grant = policy.grant_for(user_id, dataset_id)
    if grant.dataset_id != dataset_id:
        raise InvalidGrant(f"the policy was asked about dataset {dataset_id} and answers for {grant.dataset_id}")
    return grant.partitions(push=push)


def refuse_if_shrunk(transfer_session: TransferSession) -> None:
    """End a session on the hub whose user may no longer sync all that it was granted.

    A grant that has grown changes nothing: it waits for the next sync.

    :raises SessionRefused: when that is so; the session has ended then
    """
    granted = granted_partitions(transfer_session)
    if not granted:
        return
    lost = outside(granted, _allowed_now(transfer_session.sync_session, push=transfer_session.push))
    if lost:
        refusal = grant_shrunk(lost)
        end_transfer_session(transfer_session, refusal)
        raise refusal


def _allowed_now(sync_session: SyncSession, *, push: bool) -> tuple[str, ...]:
    user_id = _user_of(sync_session)
    if user_id is None:
        return ()
    dataset_id = dataset_id_of(sync_session.client_certificate)
    policy = get_policy()
    by_host = policy.host_partitions(user_id, dataset_id, push=push)
    return granted_now(sync_session, push=push) + by_host


def _user_of(sync_session: SyncSession) -> str | None:
    if not issued_by_hub(sync_session.client_certificate):
        return None
    return get_policy().syncing_user_id(sync_session)
