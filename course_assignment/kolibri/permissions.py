"""Kolibri's permissions for learners, who only read."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from kolibri.core.auth.permissions.base import BasePermissions, q_none

from morango_collection_sync.policy import get_policy


class MembersReadActive(BasePermissions):  # type: ignore[misc]
    """Whoever belongs to a collection reads the active assignments of it, by the same policy that syncs them."""

    def user_can_create_object(self, user: Any, obj: Any) -> bool:
        return False

    def user_can_read_object(self, user: Any, obj: Any) -> bool:
        return bool(obj.is_active) and not user.is_anonymous and obj.collection_id in _readable(user)

    def user_can_update_object(self, user: Any, obj: Any) -> bool:
        return False

    def user_can_delete_object(self, user: Any, obj: Any) -> bool:
        return False

    def readable_by_user_filter(self, user: Any) -> Q:
        if user.is_anonymous:
            return q_none
        return Q(is_active=True, collection_id__in=_readable(user))


def _readable(user: Any) -> frozenset[str]:
    return get_policy().grant_for(user.id, user.dataset_id).readable
