"""What a sync session says of its two sides: who is the hub, whose dataset it is, what the peer understands."""

from __future__ import annotations

from typing import Any

from morango.models.certificates import Certificate
from morango.models.core import SyncSession, TransferSession

from morango_collection_sync.conf import INSTANCE_INFO_KEY
from morango_collection_sync.partitions import is_within, outside


def dataset_id_of(certificate: Certificate) -> str:
    """The dataset that a certificate is of: the id of its root certificate, 32 hex digits."""
    if certificate.parent_id is None:
        return str(certificate.id)
    # Only the id: a hub's root certificate comes with its private key, which takes long to load.
    root = Certificate.objects.filter(tree_id=certificate.tree_id, parent=None)
    return str(root.values_list("id", flat=True).get())


def covers_dataset(certificate: Certificate) -> bool:
    """Whether a certificate reads and writes its whole dataset, as a hub's does."""
    dataset_id = dataset_id_of(certificate)
    scope = certificate.get_scope()
    return is_within(dataset_id, scope.read_filter) and is_within(dataset_id, scope.write_filter)


def issued_by_hub(certificate: Certificate) -> bool:
    """Whether a certificate was signed with one that covers the dataset: by a hub, which asked for a password.

    Whoever has a certificate may sign others that reach no further, and write into them what they like
    (``Certificate.check_certificate``, Morango 0.8.15); the name of another user, for one.
    """
    # Without the private key, which a hub's own certificate has and which takes long to load.
    parent = Certificate.objects.filter(id=certificate.parent_id).defer("_private_key").first()
    return parent is not None and covers_dataset(parent)


def is_granting_hub(sync_session: SyncSession) -> bool:
    """Whether the server of this session is a hub to a client of its dataset that is not one.

    Only then there is something to grant.
    """
    server, client = sync_session.server_certificate, sync_session.client_certificate
    return covers_dataset(server) and not covers_dataset(client) and dataset_id_of(server) == dataset_id_of(client)


def understands_grants(instance_data: Any) -> bool:
    """Whether a side that describes itself like this has said that it understands collection grants.

    :param instance_data: ``sync_session.client_instance_data`` or ``.server_instance_data``
    """
    announced = instance_data.get(INSTANCE_INFO_KEY) if isinstance(instance_data, dict) else None
    return isinstance(announced, int) and not isinstance(announced, bool) and announced >= 1


def certificate_filter(certificate: Certificate, *, push: bool) -> tuple[str, ...]:
    """The partitions that the client's own certificate allows in this direction."""
    scope = certificate.get_scope()
    return tuple(scope.write_filter if push else scope.read_filter)


def granted_partitions(transfer_session: TransferSession) -> tuple[str, ...]:
    """Those partitions of a session's filter that the client has by grant alone, not by its certificate."""
    certificate = transfer_session.sync_session.client_certificate
    return outside(
        transfer_session.get_filter(),
        certificate_filter(certificate, push=transfer_session.push),
    )


def close_transfer_session(transfer_session: TransferSession) -> None:
    """Close this device's side of a transfer session, finished or not: no buffers, not active."""
    transfer_session.delete_buffers()
    transfer_session.active = False
    transfer_session.save(update_fields=["active"])
