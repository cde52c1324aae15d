"""What this device is: a hub, a member device, or nothing yet."""

from __future__ import annotations

import json
from enum import Enum

from django.db.models import QuerySet
from morango.models.certificates import Certificate

from course_assignment.facility.errors import EmptyHome, HomeIsMember
from course_assignment.facility.models import FULL_FACILITY, SINGLE_USER, Collection, CollectionKind, FacilityUser


class DeviceRole(Enum):
    """What a device is to the others."""

    HUB = "hub"
    MEMBER = "member"
    NONE = "none"


def own_certificates(scope_definition_id: str) -> list[Certificate]:
    """The certificates of this scope whose private key is on this device, the oldest first.

    The key itself, which takes long to load, comes when something is signed.
    """
    return list(_own(scope_definition_id).defer("_private_key"))


def device_role() -> DeviceRole:
    """What this device is now."""
    if _own(FULL_FACILITY).exists():
        return DeviceRole.HUB
    if _own(SINGLE_USER).exists():
        return DeviceRole.MEMBER
    return DeviceRole.NONE


def device_dataset_id() -> str | None:
    """The dataset of this device, 32 hex digits; None when it is nothing yet."""
    # To load a certificate with its private key costs more than all else here; its tree tells as well whose it is.
    for scope_definition_id in (FULL_FACILITY, SINGLE_USER):
        tree_id = _own(scope_definition_id).values_list("tree_id", flat=True).first()
        if tree_id is not None:
            return str(Certificate.objects.filter(tree_id=tree_id, parent=None).values_list("id", flat=True)[0])
    return None


def require_device(home: object) -> str:
    """The dataset of this device, 32 hex digits.

    :param home: the home folder, for the message
    :raises EmptyHome: when this is no device yet
    """
    dataset_id = device_dataset_id()
    if dataset_id is None:
        raise EmptyHome(home)
    return dataset_id


def require_hub(what: str) -> Collection:
    """The facility of this hub.

    :param what: what only a hub may do, as the subject of a sentence
    :raises HomeIsMember: when this is no hub
    """
    if device_role() is not DeviceRole.HUB:
        raise HomeIsMember(what)
    return Collection.objects.get(kind=CollectionKind.FACILITY, dataset_id=device_dataset_id())


def certificate_user_id(certificate: Certificate) -> str:
    """The user of a single-user certificate, 32 hex digits."""
    return str(json.loads(certificate.scope_params)["user_id"])


def usernames(user_ids: list[str]) -> list[str]:
    """The names of these users, in their order; the id of one whose row is not here."""
    names = dict(FacilityUser.objects.filter(id__in=user_ids).values_list("id", "username"))
    return [names.get(user_id, user_id) for user_id in user_ids]


def _own(scope_definition_id: str) -> QuerySet:
    owned = Certificate.objects.filter(scope_definition_id=scope_definition_id).exclude(_private_key=None)
    return owned.order_by("tree_id", "lft")
