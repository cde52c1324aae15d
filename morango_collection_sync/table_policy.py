"""An access policy for a host whose tables have the columns of Kolibri's."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast
from morango.models.certificates import Certificate
from morango.models.fields.uuids import UUIDField

from morango_collection_sync.access import AccessFacts
from morango_collection_sync.policy import TreePolicy

_PARTS = ("user", "membership", "role", "collection")


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
        """What this database knows of the user, asked in one statement: a hub is asked several times a sync."""
        ties = {"user_id": user_id, "dataset_id": dataset_id}
        found: dict[str, list[tuple[str, str | None, str]]] = {part: [] for part in _PARTS}
        parts = (
            _part("user", self.users.filter(id=user_id, dataset_id=dataset_id), "id"),
            _part("membership", self.memberships.filter(**ties), "collection_id"),
            _part("role", self.roles.filter(**ties), "collection_id", kind=F("kind")),
            _part("collection", self.collections.filter(dataset_id=dataset_id), "id", F("parent_id"), F("kind")),
        )
        for part, *row in parts[-1].union(*parts[:-1], all=True):
            found[part].append(tuple(row))
        if not found["user"] or not (found["membership"] or found["role"]):
            return AccessFacts(dataset_id)
        return AccessFacts(
            dataset_id,
            parents={collection_id: parent_id for collection_id, parent_id, _ in found["collection"]},
            facilities=frozenset(each for each, _, kind in found["collection"] if kind == self.facility_kind),
            memberships=frozenset(collection_id for collection_id, _, _ in found["membership"]),
            roles=frozenset((collection_id, kind) for collection_id, _, kind in found["role"]),
        )

    def local_user_ids(self, dataset_id: str) -> frozenset[str]:
        certificates = Certificate.objects.filter(scope_definition_id=self.single_user_scope)
        owned = certificates.exclude(_private_key=None).values_list("scope_params", flat=True)
        params = (json.loads(scope_params) for scope_params in owned)
        return frozenset(param["user_id"] for param in params if param.get("dataset_id") == dataset_id)


def _part(name: str, rows: Any, key: str, parent: Any = None, kind: Any = None) -> Any:
    """Rows of one table in the columns that all parts of the statement have."""
    return (
        rows.order_by()
        .annotate(
            _part=Value(name, CharField()),
            _parent=parent or Cast(Value(None), UUIDField()),
            _kind=kind or Value("", CharField()),
        )
        .values_list("_part", key, "_parent", "_kind")
    )
