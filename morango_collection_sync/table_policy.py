"""An access policy for a host whose tables have the columns of Kolibri's."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from morango.models.certificates import Certificate

from morango_collection_sync.access import AccessFacts
from morango_collection_sync.policy import TreePolicy


class TablePolicy(TreePolicy):
    """Reads users, memberships, roles and collections from the host's tables. A host's subclass says which they are.

    Each table is a manager or a query set of what is there, without what the host has deleted softly. All have
    ``dataset_id``; memberships and roles ``user_id`` and ``collection_id``; roles and collections ``kind``;
    collections ``parent_id``.

    :cvar facility_kind: the kind of the collection that is the facility itself
    :cvar single_user_scope: the scope definition of the certificates of member devices
    """

    users: ClassVar[Any]
    memberships: ClassVar[Any]
    roles: ClassVar[Any]
    collections: ClassVar[Any]
    facility_kind: ClassVar[str]
    single_user_scope: ClassVar[str]

    def facts_for(self, user_id: str, dataset_id: str) -> AccessFacts:
        if not self.users.filter(id=user_id, dataset_id=dataset_id).exists():
            return AccessFacts(dataset_id)
        ties = {"user_id": user_id, "dataset_id": dataset_id}
        memberships = frozenset(self.memberships.filter(**ties).values_list("collection_id", flat=True))
        roles = frozenset(self.roles.filter(**ties).values_list("collection_id", "kind"))
        if not memberships and not roles:
            return AccessFacts(dataset_id)
        rows = self.collections.filter(dataset_id=dataset_id).order_by().values_list("id", "parent_id", "kind")
        collections = list(rows)
        return AccessFacts(
            dataset_id,
            parents={collection_id: parent_id for collection_id, parent_id, _ in collections},
            facilities=frozenset(collection_id for collection_id, _, kind in collections if kind == self.facility_kind),
            memberships=memberships,
            roles=roles,
        )

    def local_user_ids(self, dataset_id: str) -> frozenset[str]:
        certificates = Certificate.objects.filter(scope_definition_id=self.single_user_scope)
        owned = certificates.exclude(_private_key=None).values_list("scope_params", flat=True)
        params = (json.loads(scope_params) for scope_params in owned)
        return frozenset(param["user_id"] for param in params if param.get("dataset_id") == dataset_id)
