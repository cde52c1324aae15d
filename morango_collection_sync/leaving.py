"""Making this device no longer one of a user's."""

from __future__ import annotations

from django.db import transaction
from morango.models.certificates import Certificate

from morango_collection_sync.release import Released, prepare_release, release_prepared


def leave(certificate: Certificate, user_id: str) -> Released:
    """Drop a user's certificate from this device, and release what only that user could read. All or nothing.

    The rows that every device of the dataset has, and the user's own, stay. Not inside a transaction.

    :param certificate: one of this device's own, for that user alone
    :param user_id: 32 hex digits
    """
    profile, dataset_id = certificate.profile, certificate.get_root().id
    prepare_release(profile, dataset_id)
    with transaction.atomic():
        released = release_prepared(profile, dataset_id, leaving=user_id)
        # Its sessions, and what they had buffered, go with it.
        certificate.delete()
    return released
