"""What is private of Morango and called nevertheless, each thing with its reason. Read in 0.8.15.

``tests/performance/test_upstream.py`` fails when a release of Morango does otherwise.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

from django.db import OperationalError, connection
from morango.models.certificates import Filter
from morango.models.core import ForeignKeyReference, Store, SyncableModel, TransferSession
from morango.sync.backends.utils import load_backend
from morango.sync.operations import _dequeue_into_store, _deserialize_from_store, _self_referential_fk

from morango_collection_sync.prefixes import Prefixes


class CoveringFilter(Filter):
    """A filter that is gone through by few prefixes, and contains what the session's own filter contains.

    Morango makes a condition of each prefix that it goes through, and hands the filter on to the host's models, which
    ask it what it contains.

    :param covering: the prefixes to go through, which may cover more
    :param sync_filter: the session's
    """

    def __init__(self, covering: Iterable[str], sync_filter: Iterable[str]) -> None:
        super().__init__("\n".join(sorted(covering)))
        self._contained = Prefixes(sync_filter)

    def contains_partition(self, partition: str) -> bool:
        return self._contained.begin(partition)


def deserialize(profile: str, sync_filter: Filter) -> None:
    """Apply what is in the Store and waits to be applied.

    ``MorangoProfileController.deserialize_from_store`` serializes every time before it does.

    :raises OperationalError: when :func:`is_conflict` says so, another transaction has written at the same time
    """
    _deserialize_from_store(profile, filter=sync_filter)


def dequeue(transfer_session: TransferSession) -> None:
    """Bring what a session has received into the Store, without its counters.

    Morango's operation brings the counters with it, in conditions that are as deep as the filter has partitions.
    """
    without_counters = copy.copy(transfer_session)
    # What is left of the filter is what the facility's lock is made of.
    without_counters.filter = "\n".join({partition[:32] for partition in transfer_session.get_filter()})
    _dequeue_into_store(without_counters, json.dumps({"sub": {}, "super": {}}), v2_format=True)


def deserialized(record: Store, sync_filter: Filter) -> tuple[SyncableModel, dict[str, list[ForeignKeyReference]]]:
    """The row that a record of the Store is to be, and what it refers to, which nobody has looked for yet.

    :param record: not a deleted one: of that, Morango would delete the row
    :raises ValidationError, ObjectDoesNotExist, ValueError: when it is no row
    """
    row, references = record._deserialize_store_model({}, defer_fks=True, sync_filter=sync_filter)
    return row, references


def self_reference(model: type[SyncableModel]) -> str | None:
    """The field by which a model refers to itself, as Morango finds it; such records are applied parents first."""
    return _self_referential_fk(model)


def is_conflict(error: OperationalError) -> Any:
    """Whether a transaction failed because another one wrote at the same time."""
    return load_backend(connection)._is_transaction_isolation_error(error)
