"""What a sync session says of its two sides: who is the hub, whose dataset it is, what the peer understands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.utils import timezone
from morango.models.certificates import Certificate
from morango.models.core import SyncSession, TransferSession

from morango_collection_sync import conf
from morango_collection_sync.conf import INSTANCE_INFO_KEY
from morango_collection_sync.partitions import is_within, outside

_Fact = TypeVar("_Fact", str, bool)


def dataset_id_of(certificate: Certificate) -> str:
    """The dataset that a certificate is of: the id of its root certificate, 32 hex digits."""
    return _once(certificate, "dataset_id", _id_of_root)


def _id_of_root(certificate: Certificate) -> str:
    parent = _parent_of(certificate)
    if parent is None:
        return str(certificate.id)
    if parent.parent_id is None:
        return str(parent.id)
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
    return _once(certificate, "issued_by_hub", _has_parent_of_dataset)


def _has_parent_of_dataset(certificate: Certificate) -> bool:
    parent = _parent_of(certificate)
    return parent is not None and covers_dataset(parent)


def _parent_of(certificate: Certificate) -> Certificate | None:
    return None if certificate.parent_id is None else _certificate_of(certificate, "parent")


def _once(certificate: Certificate, name: str, read: Callable[[Certificate], _Fact]) -> _Fact:
    """What was read of a certificate stays true, and is kept with it: no certificate is ever changed."""
    kept = certificate.__dict__.setdefault("_collection_sync", {})
    if name not in kept:
        kept[name] = read(certificate)
    return kept[name]


def client_certificate_of(sync_session: SyncSession) -> Certificate:
    """The client's certificate of a session, without its private key unless somebody has loaded that already."""
    return _certificate_of(sync_session, "client_certificate")


def server_certificate_of(sync_session: SyncSession) -> Certificate:
    """The server's certificate of a session, in the same way."""
    return _certificate_of(sync_session, "server_certificate")


def _certificate_of(row: SyncSession | Certificate, name: str) -> Certificate:
    """What a row refers to by this name, without the private key, which takes long to load."""
    field = row._meta.get_field(name)
    if not field.is_cached(row):
        certificates = Certificate.objects.select_related("scope_definition").defer("_private_key")
        setattr(row, name, certificates.get(pk=getattr(row, field.attname)))
    return getattr(row, name)


def without_private_keys(queryset: QuerySet, to_sync_session: str = "") -> QuerySet:
    """These rows with their sync session's certificates and the client's parent, and without private keys.

    Loading a private key takes long.

    :param queryset: of sync sessions, or of what belongs to one
    :param to_sync_session: the way there, such as ``sync_session__``
    """
    certificates = [
        f"{to_sync_session}{each}"
        for each in ("client_certificate", "client_certificate__parent", "server_certificate")
    ]
    related = [f"{certificate}__scope_definition" for certificate in certificates]
    return queryset.select_related(*related).defer(*(f"{certificate}___private_key" for certificate in certificates))


def is_open(sync_session: SyncSession) -> bool:
    """Whether a sync session may still be gone on with: its client is not asked for a signature any more."""
    age = timezone.now() - sync_session.start_timestamp
    return bool(sync_session.active) and age <= timedelta(seconds=conf.session_lifetime())


def is_granting_hub(sync_session: SyncSession) -> bool:
    """Whether the server of this session is a hub to a client of its dataset that is not one.

    Only then there is something to grant.
    """
    server, client = server_certificate_of(sync_session), client_certificate_of(sync_session)
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
    certificate = client_certificate_of(transfer_session.sync_session)
    return outside(
        transfer_session.get_filter(),
        certificate_filter(certificate, push=transfer_session.push),
    )


def close_transfer_session(transfer_session: TransferSession) -> None:
    """Close this device's side of a transfer session, finished or not: no buffers, not active."""
    transfer_session.delete_buffers()
    transfer_session.active = False
    transfer_session.save(update_fields=["active"])


def close_sync_session(sync_session: SyncSession) -> None:
    """Close this device's side of a sync session, and of each transfer session in it."""
    for transfer_session in sync_session.transfersession_set.filter(active=True):
        close_transfer_session(transfer_session)
    SyncSession.objects.filter(pk=sync_session.pk).update(active=False)
