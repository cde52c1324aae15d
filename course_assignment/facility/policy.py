"""The embedded host's access policy: its memberships, roles and collections."""

from __future__ import annotations

import json

from morango.models.certificates import Certificate

from course_assignment.facility.models import (
    SINGLE_USER,
    Collection,
    CollectionKind,
    FacilityUser,
    Membership,
    Role,
)
from morango_collection_sync.access import AccessFacts
from morango_collection_sync.policy import TreePolicy


class FacilityPolicy(TreePolicy):
    """Reads the facility's own tables."""

    def facts_for(self, user_id: str, dataset_id: str) -> AccessFacts:
        if not FacilityUser.objects.filter(id=user_id, dataset_id=dataset_id, date_deleted__isnull=True).exists():
            return AccessFacts(dataset_id)
        ties = {"user_id": user_id, "dataset_id": dataset_id}
        memberships = frozenset(Membership.objects.filter(**ties).values_list("collection_id", flat=True))
        roles = frozenset(Role.objects.filter(**ties).values_list("collection_id", "kind"))
        if not memberships and not roles:
            return AccessFacts(dataset_id)
        collections = list(
            Collection.objects.filter(dataset_id=dataset_id).order_by().values_list("id", "parent_id", "kind")
        )
        return AccessFacts(
            dataset_id,
            parents={collection_id: parent_id for collection_id, parent_id, _ in collections},
            facilities=frozenset(
                collection_id for collection_id, _, kind in collections if kind == CollectionKind.FACILITY
            ),
            memberships=memberships,
            roles=roles,
        )

    def local_user_ids(self, dataset_id: str) -> frozenset[str]:
        certificates = Certificate.objects.filter(scope_definition_id=SINGLE_USER).exclude(_private_key=None)
        params = (json.loads(scope_params) for scope_params in certificates.values_list("scope_params", flat=True))
        return frozenset(param["user_id"] for param in params if param.get("dataset_id") == dataset_id)
