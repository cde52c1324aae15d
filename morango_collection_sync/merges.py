"""Records that two sides have changed apart, on a device that may not write them.

Morango merges where such records meet, keeps the version that is there already, and saves it as this device's own
(``morango.sync.backends``, 0.8.15). From a device that may not push it, the hub never hears of that version, and what
the hub sends later is merged into it again: the device would never see another change of that record.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Subquery
from morango.models.core import Buffer, RecordMaxCounter, RecordMaxCounterBuffer, Store, TransferSession

from morango_collection_sync.models import in_chunks
from morango_collection_sync.partitions import outside
from morango_collection_sync.pending import pending_edits
from morango_collection_sync.policy import get_policy
from morango_collection_sync.sessions import certificate_filter, client_certificate_of, dataset_id_of


def take_received(transfer_session: TransferSession) -> None:
    """Let what a pull has brought stand in place of what is here, where nobody here may write. Edits are left alone.

    :param transfer_session: a pull whose records are in the buffers
    """
    if not transfer_session.records_transferred:
        return
    certificate = client_certificate_of(transfer_session.sync_session)
    granted = get_policy().local_grant(dataset_id_of(certificate)).partitions(push=True)
    received = Buffer.objects.filter(transfer_session=transfer_session).order_by().values_list("partition", flat=True)
    # Of every model: two hubs that have renamed one class apart send it merged, each in its own way.
    read_only = outside(received.distinct(), (*certificate_filter(certificate, push=True), *granted))
    for chunk in in_chunks(read_only):
        met = _met(transfer_session).filter(partition__in=chunk)
        edited = {record.id for record in pending_edits(chunk)} if met.exists() else set()
        taken = [record for record in met if record.id not in edited]
        for record in taken:
            record.last_saved_instance, record.last_saved_counter = record.came_instance, record.came_counter
        # Morango takes it for one that the received version was made upon.
        Store.objects.bulk_update(taken, ["last_saved_instance", "last_saved_counter"], batch_size=100)


def _met(transfer_session: TransferSession):  # type: ignore[no-untyped-def]
    """The stored records that Morango would merge: neither version was made upon the other."""
    received = Buffer.objects.filter(transfer_session=transfer_session, model_uuid=OuterRef("id"))
    made_upon_ours = RecordMaxCounterBuffer.objects.filter(
        transfer_session=transfer_session,
        model_uuid=OuterRef("id"),
        instance_id=OuterRef("last_saved_instance"),
        counter__gte=OuterRef("last_saved_counter"),
    )
    made_upon_theirs = RecordMaxCounter.objects.filter(
        store_model=OuterRef("id"), instance_id=OuterRef("came_instance"), counter__gte=OuterRef("came_counter")
    )
    return (
        Store.objects.annotate(
            came_instance=Subquery(received.values("last_saved_instance")[:1]),
            came_counter=Subquery(received.values("last_saved_counter")[:1]),
        )
        .filter(came_instance__isnull=False)
        .exclude(Exists(made_upon_ours))
        .exclude(Exists(made_upon_theirs))
    )
