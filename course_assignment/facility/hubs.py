"""A hub as this device sees it over the network: which facility it has, who a user is there, its certificate."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from morango.models.certificates import Certificate
from requests import Response
from requests.exceptions import HTTPError, RequestException

from course_assignment.facility.errors import HubUnreachable, OtherFacility, WrongPassword
from course_assignment.facility.models import FULL_FACILITY, KnownHub
from morango_collection_sync.driver import ProgressCallback, SyncDriver


class Hub:
    """A connection to a hub.

    :param base_url: its address, ``http://host:port/``
    :param progress: called as transfers move
    :raises HubUnreachable: when nothing that syncs answers there
    """

    def __init__(self, base_url: str, progress: ProgressCallback | None = None) -> None:
        self.base_url = normal_url(base_url)
        try:
            self.driver = SyncDriver.connect(self.base_url, progress)
        except HTTPError as error:
            raise HubUnreachable(self.base_url, "a server is there, but it does not sync") from error
        except RequestException as error:
            raise HubUnreachable(self.base_url, "the connection failed") from error
        except ValueError as error:
            raise HubUnreachable(self.base_url, "what answers there is no hub") from error

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
            response: Response = self.driver.connection.session.get(
                self.base_url + "api/facility/v1/user/", auth=(username, password)
            )
            return dict(response.json())
        except HTTPError as error:
            if error.response is not None and error.response.status_code in (401, 403):
                raise WrongPassword(username) from error
            raise HubUnreachable(self.base_url, "what answers there is no hub of this program") from error
        except RequestException as error:
            raise HubUnreachable(self.base_url, "the connection was lost") from error

    def certificate(self, dataset_id: str) -> Certificate:
        """The hub's own full-facility certificate for a dataset.

        :raises OtherFacility: when it has none
        :raises HubUnreachable: when the connection is lost
        """
        try:
            remote = self.driver.connection.get_remote_certificates(dataset_id, FULL_FACILITY)
        except RequestException as error:
            raise HubUnreachable(self.base_url, "the connection was lost") from error
        if not remote:
            raise OtherFacility(self.base_url, dataset_id)
        return remote[0]

    def remember(self) -> None:
        """Note that this device has just synced with this hub."""
        KnownHub.objects.update_or_create(base_url=self.base_url, defaults={"last_synced_at": timezone.now()})


def normal_url(base_url: str) -> str:
    """An address with its scheme and one slash at its end."""
    url = base_url if "://" in base_url else f"http://{base_url}"
    return url.rstrip("/") + "/"
