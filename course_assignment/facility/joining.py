"""Making this home a device of a facility: a member device for a user, or a second hub."""

from __future__ import annotations

from typing import Any

from morango.errors import MorangoError
from morango.models.certificates import Certificate
from requests.exceptions import HTTPError

from course_assignment.facility.device import (
    DeviceRole,
    certificate_user_id,
    device_dataset_id,
    device_role,
    own_certificates,
)
from course_assignment.facility.errors import HomeIsHub, HomeTaken, NotAdmin, OtherFacility
from course_assignment.facility.hubs import Hub, basic_auth
from course_assignment.facility.models import FULL_FACILITY, SINGLE_USER


def require_joinable(home: object, *, full_facility: bool = False) -> None:
    """Check that this home may become a member device, or serve another user as one.

    :param full_facility: whether it is to become a second hub instead, which only an empty home may
    :raises HomeIsHub: when it is a hub
    :raises HomeTaken: when it is a member device and is to become a hub
    """
    role = device_role()
    if role is DeviceRole.HUB:
        raise HomeIsHub(home)
    if role is DeviceRole.MEMBER and full_facility:
        raise HomeTaken(home)


def join(hub: Hub, username: str, password: str, home: object, *, full_facility: bool = False) -> Certificate:
    """Get this device a certificate of a hub. Joining again gives the one that it has.

    :param hub: a connection to the hub
    :param username: a user of the hub's facility
    :param password: the user's password there
    :param home: this device's home, for messages
    :param full_facility: become a second hub; the user must be the facility's admin
    :return: this device's own certificate, with its private key
    :raises HomeIsHub: when this device is a hub
    :raises HomeTaken: when it is a member device and is to become a hub
    :raises WrongPassword: when the hub does not accept the password
    :raises OtherFacility: when this device belongs to another facility than the hub
    :raises NotAdmin: when a user who is no admin asks for the full facility
    """
    require_joinable(home, full_facility=full_facility)
    user = hub.sign_in(username, password)
    dataset_id = device_dataset_id()
    if dataset_id not in (None, user["dataset_id"]):
        raise OtherFacility(hub.base_url, str(dataset_id))
    if not full_facility:
        for certificate in own_certificates(SINGLE_USER):
            if certificate_user_id(certificate) == user["id"]:
                return certificate
    return _request(hub, user, password, full_facility=full_facility)


def _request(hub: Hub, user: dict[str, Any], password: str, *, full_facility: bool) -> Certificate:
    scope_params = {"dataset_id": user["dataset_id"]}
    if not full_facility:
        scope_params["user_id"] = user["id"]
    name, secret = basic_auth(user["username"], password)
    try:
        return hub.driver.connection.certificate_signing_request(
            hub.certificate(user["dataset_id"]),
            FULL_FACILITY if full_facility else SINGLE_USER,
            scope_params,
            userargs=name,
            password=secret,
        )
    except (HTTPError, MorangoError) as error:
        if isinstance(error, HTTPError) and error.response is not None and error.response.status_code == 403:
            raise NotAdmin(user["username"]) from error
        raise
