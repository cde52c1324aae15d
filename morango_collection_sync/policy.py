"""The question that a host answers: what may this user read and write, by what this database knows."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from functools import cache
from typing import Any

from django.utils.module_loading import import_string

from morango_collection_sync import conf
from morango_collection_sync.access import AccessFacts, grant_from_facts
from morango_collection_sync.grants import Grant, grant_of_all
from morango_collection_sync.partitions import is_collection_partition


class AccessPolicy(ABC):
    """What a host answers. ``COLLECTION_SYNC["POLICY"]`` names its subclass; one instance serves the process."""

    @abstractmethod
    def grant_for(self, user_id: str, dataset_id: str) -> Grant:
        """What this user may read and write now; nothing for a user who is unknown or deleted.

        :param user_id: 32 hex digits
        :param dataset_id: 32 hex digits
        """

    @abstractmethod
    def local_user_ids(self, dataset_id: str) -> frozenset[str]:
        """The users whom this device syncs for, as single users; empty on a hub.

        :param dataset_id: 32 hex digits
        """

    @abstractmethod
    def syncing_user_id(self, sync_session: Any) -> str | None:
        """The user whom the client of this session syncs for; None when it syncs a full facility.

        :param sync_session: a :class:`morango.models.core.SyncSession`
        """

    def accepts_partition(self, partition: str, dataset_id: str) -> bool:
        """Whether a device takes this partition when a hub adds it to a filter: one of a collection.

        A host that widens filters on its own says here what else its hubs may add.

        :param partition: as the hub has sent it
        :param dataset_id: the dataset of the session, 32 hex digits
        """
        return is_collection_partition(partition, dataset_id)

    def host_partitions(self, user_id: str, dataset_id: str, *, push: bool) -> tuple[str, ...]:
        """What the host itself, by operations of its own, adds now to this user's sessions; nothing by default.

        :param user_id: 32 hex digits
        :param dataset_id: 32 hex digits
        """
        return ()

    def local_grant(self, dataset_id: str) -> Grant:
        """What the users of this device may read and write together."""
        return grant_of_all(
            dataset_id,
            (self.grant_for(user_id, dataset_id) for user_id in self.local_user_ids(dataset_id)),
        )


class TreePolicy(AccessPolicy):
    """An :class:`AccessPolicy` for a host with memberships and roles in a tree of collections."""

    @abstractmethod
    def facts_for(self, user_id: str, dataset_id: str) -> AccessFacts:
        """What this database knows of the user; empty for a user who is unknown or deleted."""

    def grant_for(self, user_id: str, dataset_id: str) -> Grant:
        return grant_from_facts(self.facts_for(user_id, dataset_id))

    def syncing_user_id(self, sync_session: Any) -> str | None:
        # A single-user certificate names its user in its scope (Kolibri's scope definitions, version 1).
        return json.loads(sync_session.client_certificate.scope_params).get("user_id")


def get_policy() -> AccessPolicy:
    """The host's policy, as ``COLLECTION_SYNC["POLICY"]`` names it.

    :raises django.core.exceptions.ImproperlyConfigured: when the setting is missing
    :raises ImportError: when it names nothing
    """
    return _policy(conf.policy())


@cache
def _policy(path: str) -> AccessPolicy:
    return import_string(path)()
