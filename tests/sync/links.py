"""A coach's laptop, a hub, and what is between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest
from django.core.wsgi import get_wsgi_application
from morango.models.core import TransferSession
from requests.exceptions import RequestException

from course_assignment.facility.models import Collection
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.simulation.device import Device
from tests import school
from tests.sync.cutting_proxy import CuttingProxy, Lost

FETCHES_RECORDS = 6
"""The number of this request in the first pull of a device."""


class Failing:
    """Django's WSGI application, which answers some requests with an error.

    :ivar fails: whether to, for a request's method and path
    """

    def __init__(self) -> None:
        self.fails: Callable[[str, str], bool] = lambda method, path: False
        self._application = get_wsgi_application()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.fails(environ["REQUEST_METHOD"], environ["PATH_INFO"]):
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        return self._application(environ, start_response)  # type: ignore[no-any-return]


class Link(NamedTuple):
    """A coach's laptop that has joined a hub of one class, and what is between them."""

    hub: Device
    laptop: Device
    joined: school.Joined
    proxy: CuttingProxy
    server: Failing
    classroom_id: str

    def assign(self, title: str) -> None:
        """Assign a course to the class, on the device that this process is."""
        school.assign(Collection.objects.get(id=self.classroom_id), title)

    def interrupt(self, at: int = FETCHES_RECORDS) -> str:
        """Cut a pull of the laptop in the middle.

        :param at: the number of the request
        :return: the id of the sync session that is left
        """
        with self.laptop:
            self.proxy.cut(at, Lost.REQUEST)
            with pytest.raises(RequestException), SyncDriver.connect(self.joined.base_url, retries=0) as driver:
                driver.sync(self.joined.client_certificate(), self.joined.server_certificate(), push=False)
            self.proxy.heal()
            return str(TransferSession.objects.get(active=True).sync_session_id)
