"""Collection-scoped selective sync for Morango.

What a host needs before Django's models are loaded is here; :class:`~.models.CollectionScopedModel` is in
``models``, the client's side of a sync in ``driver``, the views of a hub in ``urls``.
"""

from morango_collection_sync.access import AccessFacts, AccessReason
from morango_collection_sync.conf import add_collection_sync
from morango_collection_sync.errors import CollectionSyncError
from morango_collection_sync.grants import Grant
from morango_collection_sync.partitions import collection_partition, parse_collection_partition
from morango_collection_sync.policy import AccessPolicy, TreePolicy, get_policy

__version__ = "0.1.0"

__all__ = [
    "AccessFacts",
    "AccessPolicy",
    "AccessReason",
    "CollectionSyncError",
    "Grant",
    "TreePolicy",
    "add_collection_sync",
    "collection_partition",
    "get_policy",
    "parse_collection_partition",
]
