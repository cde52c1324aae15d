"""Kolibri's access policy: its memberships, roles and collections, and what it adds to a session itself."""

from __future__ import annotations

import json
import re

from kolibri.core.auth.constants import collection_kinds
from kolibri.core.auth.constants.morango_sync import ScopeDefinitions
from kolibri.core.auth.models import Collection, FacilityUser, Membership, Role
from kolibri.core.auth.utils.sync import ClassroomPartitionFilterFactory
from morango.models.certificates import Certificate

from morango_collection_sync.access import AccessFacts
from morango_collection_sync.policy import TreePolicy

_CLASSROOM = re.compile(r"([0-9a-f]{32}):classroom:[0-9a-f]{32}(:coach-rw|:learner-rw)?")
"""The partitions that Kolibri gives to a classroom (``kolibri.core.auth.constants.morango_sync``, 0.19.5)."""


class KolibriPolicy(TreePolicy):
    """Reads Kolibri's own tables.

    A superuser of the device (Kolibri's ``DevicePermissions``) is nobody in particular here: that flag does not
    sync, and hub and device would answer differently.
    """

    def facts_for(self, user_id: str, dataset_id: str) -> AccessFacts:
        # The default manager leaves out those whom Kolibri has deleted softly.
        if not FacilityUser.objects.filter(id=user_id, dataset_id=dataset_id).exists():
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
                collection_id for collection_id, _, kind in collections if kind == collection_kinds.FACILITY
            ),
            memberships=memberships,
            roles=roles,
        )

    def local_user_ids(self, dataset_id: str) -> frozenset[str]:
        certificates = Certificate.objects.filter(scope_definition_id=ScopeDefinitions.SINGLE_USER)
        owned = certificates.exclude(_private_key=None).values_list("scope_params", flat=True)
        params = (json.loads(scope_params) for scope_params in owned)
        return frozenset(param["user_id"] for param in params if param.get("dataset_id") == dataset_id)

    def accepts_partition(self, partition: str, dataset_id: str) -> bool:
        """A collection's own, and those of a classroom by which Kolibri syncs lessons, quizzes and courses."""
        classroom = _CLASSROOM.fullmatch(partition)
        return super().accepts_partition(partition, dataset_id) or (
            classroom is not None and classroom.group(1) == dataset_id
        )

    def host_partitions(self, user_id: str, dataset_id: str, *, push: bool) -> tuple[str, ...]:
        factory = ClassroomPartitionFilterFactory(dataset_id).set_writeable(writeable=push)
        return tuple(factory.build_for_user(user_id) or ())
