"""A user whom this device no longer syncs for: by our command, or because Kolibri removes the user from it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from kolibri.core.auth.constants.morango_sync import PROFILE_FACILITY_DATA, ScopeDefinitions
from kolibri.core.device.models import SyncQueue
from morango.models.certificates import Certificate

from course_assignment.kolibri.lookup import usernames
from course_assignment.kolibri.syncing import certificate_user_id, own_certificates
from morango_collection_sync.leaving import leave as leave_device
from morango_collection_sync.release import Released, release_unreadable

logger = logging.getLogger(__name__)


def leave(username: str, dataset_ids: Iterable[str]) -> Released:
    """Drop a user's certificate from this device, and release what only they could read.

    The account stays, with what its owner has done here; Kolibri's own page for the users of a device removes it.

    :param username: the user's name here (whatever its case), or id
    :raises CommandError: when this device does not sync for the user; nothing is changed then
    """
    held = {
        certificate_user_id(certificate): certificate
        for certificate in own_certificates(dataset_ids)
        if certificate.scope_definition_id == ScopeDefinitions.SINGLE_USER
    }
    names = dict(zip(held, usernames(list(held))))
    user_id = next((key for key, name in names.items() if username.casefold() in (name.casefold(), key)), None)
    if user_id is None:
        there = f"; it does for {', '.join(names.values())}" if names else ""
        raise CommandError(f"this device does not sync for {username!r}{there}")
    released = leave_device(held[user_id], user_id)
    # Kolibri would go on asking hubs to sync this user.
    SyncQueue.objects.filter(user_id=user_id).delete()
    return released


def release_after_removal(sender: object, instance: Any, **kwargs: Any) -> None:
    """Heard before a certificate is deleted, as Kolibri does with that of a user whom it removes from a device.

    Of the last user there is no further pull, at whose end the rest would be released.
    """
    if instance.scope_definition_id == ScopeDefinitions.SINGLE_USER and instance.has_private_key():
        dataset_id = instance.get_root().id
        transaction.on_commit(lambda: _release(dataset_id))


def _release(dataset_id: str) -> None:
    if not Certificate.objects.filter(id=dataset_id).exists():
        # The facility itself was deleted.
        return
    try:
        release_unreadable(PROFILE_FACILITY_DATA, dataset_id)
    except Exception:
        # The user is removed; what failed is done by the next pull, or by the command.
        logger.exception("What only a removed user could read of dataset %s is not released yet", dataset_id)
