"""A hub as this device sees it over the network: which facility it has, who a user is there, its certificate."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone
from morango.errors import MorangoError
from morango.models.certificates import Certificate
from morango.models.core import InstanceIDModel
from requests.exceptions import HTTPError, ReadTimeout, RequestException

from course_assignment.facility.errors import BadAddress, HubIsSelf, HubUnreachable, OtherFacility, WrongPassword
from course_assignment.facility.models import FULL_FACILITY, KnownHub
from morango_collection_sync.driver import ProgressCallback, SyncDriver
from morango_collection_sync.errors import NoAnswer
from morango_collection_sync.partitions import is_hex_id

PATIENCE = 20
"""Seconds that what answers at an address has to say what it is."""

_EXPECTED_ADDRESS = "expected http://HOST:PORT"

# What a program raises that takes what is no hub for one, and finds neither the keys nor the types it expects.
_NOT_AS_EXPECTED = (ValueError, KeyError, TypeError, AttributeError, MorangoError)


class Hub:
    """A connection to a hub.

    :param base_url: its address, ``http://host:port/``
    :param progress: called as transfers move
    :raises BadAddress: when that is no address
    :raises HubUnreachable: when nothing that syncs answers there
    :raises HubIsSelf: when it is this very device that answers there
    """

    def __init__(self, base_url: str, progress: ProgressCallback | None = None) -> None:
        self.base_url = normal_url(base_url)
        self.driver = _connected(self.base_url, progress)
        if self.driver.connection.server_info["instance_id"] == InstanceIDModel.get_or_create_current_instance()[0].id:
            self.driver.close()
            raise HubIsSelf(self.base_url)

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.driver.close()

    def sign_in(self, username: str, password: str) -> dict[str, Any]:
        """Who this user is at the hub: ``{"id", "username", "dataset_id"}``.

        :raises WrongPassword: when the hub does not accept the password
        :raises HubUnreachable: when the hub is no embedded host
        """
        try:
            response = self.driver.connection.session.get(
                self.base_url + "api/facility/v1/user/", auth=basic_auth(username, password), timeout=PATIENCE
            )
            user = response.json()
            if not (is_hex_id(user["id"]) and is_hex_id(user["dataset_id"]) and isinstance(user["username"], str)):
                raise ValueError
        except HTTPError as error:
            if error.response is not None and error.response.status_code in (401, 403):
                raise WrongPassword(username) from error
            raise HubUnreachable(self.base_url, "what answers there is no hub of this program") from error
        except _NOT_AS_EXPECTED as error:
            raise HubUnreachable(self.base_url, "what answers there is no hub of this program") from error
        except RequestException as error:
            raise HubUnreachable(self.base_url, "the connection was lost") from error
        return {key: user[key] for key in ("id", "username", "dataset_id")}

    def certificate(self, dataset_id: str) -> Certificate:
        """The hub's own full-facility certificate for a dataset.

        :raises OtherFacility: when it has none
        :raises HubUnreachable: when the connection is lost, or what answers is no certificate
        """
        try:
            remote = self.driver.connection.get_remote_certificates(dataset_id, FULL_FACILITY)
        except _NOT_AS_EXPECTED as error:
            raise HubUnreachable(self.base_url, "what answers there is no hub") from error
        except HTTPError as error:
            raise HubUnreachable(self.base_url, "what answers there is no hub") from error
        except RequestException as error:
            raise HubUnreachable(self.base_url, "the connection was lost") from error
        if not remote:
            raise OtherFacility(self.base_url, dataset_id)
        return remote[0]

    def remember(self) -> None:
        """Note that this device has just synced with this hub."""
        KnownHub.objects.update_or_create(base_url=self.base_url, defaults={"last_synced_at": timezone.now()})


def basic_auth(username: str, password: str) -> tuple[bytes, bytes]:
    """A name and password for a request: in UTF-8, where ``requests`` would take Latin-1 and fail outside of it."""
    return username.encode(), password.encode()


def normal_url(base_url: str) -> str:
    """An address with its scheme and one slash at its end.

    :raises BadAddress: when it is none; the message does not hold it, since a password may be in it
    """
    text = base_url.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(_EXPECTED_ADDRESS) from error
    if "@" in parts.netloc:
        raise BadAddress("a user and password do not belong in it; give them by --user and --password")
    if parts.scheme not in ("http", "https") or not host or port == 0 or parts.query or parts.fragment:
        raise BadAddress(_EXPECTED_ADDRESS)
    if any(character.isspace() for character in text):
        raise BadAddress(f"there is white space in it; {_EXPECTED_ADDRESS}")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/") + "/"


def _connected(base_url: str, progress: ProgressCallback | None) -> SyncDriver:
    """:raises HubUnreachable: when no Morango answers at this address"""
    try:
        # Whoever has typed a wrong address hears so at once; what is lost later is sent again.
        driver = SyncDriver.connect(base_url, progress, first_retries=0)
    except NoAnswer as error:
        reason = "the connection failed"
        if isinstance(error.__cause__, ReadTimeout):
            reason = f"it did not answer in {error.seconds:g} seconds"
        raise HubUnreachable(base_url, reason) from error
    except (*_NOT_AS_EXPECTED, RequestException) as error:
        raise HubUnreachable(base_url, "a server is there, but it does not sync") from error
    if not is_hex_id(driver.connection.server_info.get("instance_id")):
        driver.close()
        raise HubUnreachable(base_url, "a server is there, but it does not sync")
    return driver
