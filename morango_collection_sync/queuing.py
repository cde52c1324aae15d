"""Putting what a peer lacks into the buffers of a session, for a filter of any length."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction
from morango.models.certificates import Filter
from morango.models.core import AbstractStore, Buffer, RecordMaxCounter, RecordMaxCounterBuffer, Store, TransferSession
from morango.sync.backends.utils import load_backend
from morango.sync.utils import lock_partitions

from morango_collection_sync.filter_counters import ByPartition
from morango_collection_sync.prefixes import Prefixes
from morango_collection_sync.value_lists import beginning_with, ids


def queue_lacking(transfer_session: TransferSession, missing: ByPartition) -> None:
    """Put the records that a peer lacks into a session's buffers, each with the counters of its versions.

    Which records these are is what Morango makes conditions of, one for each partition and instance
    (``_queue_into_buffer_v2``, 0.8.15); here their ids are read, and their rows copied, in four statements.

    :param missing: for each partition and instance, the counter that the peer has reached
    """
    with transaction.atomic():
        datasets = {partition[:32] for partition in missing}
        lock_partitions(load_backend(connection), sync_filter=Filter("\n".join(datasets)), shared=True)
        _copy_to_buffers(transfer_session, list(_lacking(transfer_session, missing)))


def _lacking(transfer_session: TransferSession, missing: ByPartition) -> Iterator[str]:
    parts = Prefixes(missing)
    instances = {instance for reached in missing.values() for instance in reached}
    stored = Store.objects.filter(
        profile=transfer_session.sync_session.profile, last_saved_instance__in=ids(instances)
    ).order_by()
    rows = beginning_with(stored, "partition", parts).values_list(
        "id", "partition", "last_saved_instance", "last_saved_counter"
    )
    for record_id, partition, instance, counter in rows.iterator():
        if any(missing[part].get(instance, counter) < counter for part in parts.of(partition)):
            yield record_id


def _copy_to_buffers(transfer_session: TransferSession, record_ids: list[str]) -> None:
    session = f"CAST(%s AS {TransferSession._meta.pk.rel_db_type(connection)})"
    columns = ", ".join(connection.ops.quote_name(field.column) for field in AbstractStore._meta.fields)
    chosen, parameters = ids(record_ids).as_sql(None, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Buffer._meta.db_table} ({columns}, model_uuid, transfer_session_id) "
            f"SELECT {columns}, id, {session} FROM {Store._meta.db_table} WHERE id IN {chosen}",
            [transfer_session.id, *parameters],
        )
        cursor.execute(
            f"INSERT INTO {RecordMaxCounterBuffer._meta.db_table} "
            "(instance_id, counter, transfer_session_id, model_uuid) "
            f"SELECT instance_id, counter, {session}, store_model_id "
            f"FROM {RecordMaxCounter._meta.db_table} WHERE store_model_id IN {chosen}",
            [transfer_session.id, *parameters],
        )
