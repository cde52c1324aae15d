"""The embedded host's access policy: its memberships, roles and collections."""

from __future__ import annotations

from course_assignment.facility.models import (
    SINGLE_USER,
    Collection,
    CollectionKind,
    FacilityUser,
    Membership,
    Role,
)
from morango_collection_sync.table_policy import TablePolicy


class FacilityPolicy(TablePolicy):
    """Reads the facility's own tables."""

    users = FacilityUser.objects.filter(date_deleted__isnull=True)
    memberships = Membership.objects
    roles = Role.objects
    collections = Collection.objects
    facility_kind = CollectionKind.FACILITY
    single_user_scope = SINGLE_USER
