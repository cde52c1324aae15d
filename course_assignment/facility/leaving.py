"""Making this device no longer one of a user's."""

from __future__ import annotations

from course_assignment.facility.device import certificate_user_id, own_certificates, usernames
from course_assignment.facility.errors import NotOnDevice
from course_assignment.facility.models import SINGLE_USER
from morango_collection_sync.leaving import leave as leave_device
from morango_collection_sync.release import Released


def leave(username: str) -> Released:
    """Drop a user's certificate from this device, and release what only they could read.

    The rows that every device of the facility has (collections), and the user's own account, stay.

    :param username: the user's name here, or id where the row has not arrived
    :raises NotOnDevice: when this device does not sync for the user; nothing is changed then
    """
    held = {certificate_user_id(certificate): certificate for certificate in own_certificates(SINGLE_USER)}
    names = dict(zip(held, usernames(list(held))))
    user_id = next((key for key, name in names.items() if username.casefold() in (name.casefold(), key)), None)
    if user_id is None:
        raise NotOnDevice(username, names.values())
    return leave_device(held[user_id], user_id)
