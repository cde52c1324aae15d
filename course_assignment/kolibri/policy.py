"""Kolibri's access policy: its memberships, roles and collections, and what it adds to a session itself."""

from __future__ import annotations

import re

from kolibri.core.auth.constants import collection_kinds
from kolibri.core.auth.constants.morango_sync import ScopeDefinitions
from kolibri.core.auth.models import Collection, FacilityUser, Membership, Role
from kolibri.core.auth.utils.sync import ClassroomPartitionFilterFactory

from morango_collection_sync.table_policy import TablePolicy

_CLASSROOM = re.compile(r"([0-9a-f]{32}):classroom:[0-9a-f]{32}(:coach-rw|:learner-rw)?")
"""The partitions that Kolibri gives to a classroom (``kolibri.core.auth.constants.morango_sync``, 0.19.5)."""


class KolibriPolicy(TablePolicy):
    """Reads Kolibri's own tables.

    A superuser of the device (Kolibri's ``DevicePermissions``) is nobody in particular here: that flag does not
    sync, and hub and device would answer differently.
    """

    # The default manager leaves out those whom Kolibri has deleted softly.
    users = FacilityUser.objects
    memberships = Membership.objects
    roles = Role.objects
    collections = Collection.objects
    facility_kind = collection_kinds.FACILITY
    single_user_scope = ScopeDefinitions.SINGLE_USER

    def accepts_partition(self, partition: str, dataset_id: str) -> bool:
        """A collection's own, and those of a classroom by which Kolibri syncs lessons, quizzes and courses."""
        classroom = _CLASSROOM.fullmatch(partition)
        return super().accepts_partition(partition, dataset_id) or (
            classroom is not None and classroom.group(1) == dataset_id
        )

    def host_partitions(self, user_id: str, dataset_id: str, *, push: bool) -> tuple[str, ...]:
        factory = ClassroomPartitionFilterFactory(dataset_id).set_writeable(writeable=push)
        return tuple(factory.build_for_user(user_id) or ())
