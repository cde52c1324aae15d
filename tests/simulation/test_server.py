"""A device that answers real HTTP."""

from __future__ import annotations

import threading

import pytest
import requests
from morango.models.certificates import Nonce
from morango.models.core import InstanceIDModel

from morango_collection_sync.simulation.device import current_device
from morango_collection_sync.simulation.server import DeviceServer
from tests.conftest import NewDevice, Serve

INFO = "api/morango/v1/morangoinfo/1/"


def test_server_answers_as_its_device(new_device: NewDevice, serve: Serve) -> None:
    hub, tablet = new_device("hub"), new_device("tablet")
    base_url = serve(hub)
    with tablet:
        own = InstanceIDModel.get_or_create_current_instance()[0].id
        answered = requests.get(base_url + INFO).json()["instance_id"]
        assert InstanceIDModel.get_or_create_current_instance()[0].id == own
        assert current_device() is tablet
    with hub:
        assert InstanceIDModel.get_or_create_current_instance()[0].id == answered
    assert answered != own


def test_what_was_asked_for_over_http_is_in_the_devices_database(new_device: NewDevice, serve: Serve) -> None:
    hub, tablet = new_device("hub"), new_device("tablet")
    base_url = serve(hub)
    with tablet:
        requests.post(base_url + "api/morango/v1/nonces/").raise_for_status()
        assert Nonce.objects.count() == 0
    with hub:
        assert Nonce.objects.count() == 1


def test_two_devices_are_served_at_once(new_device: NewDevice, serve: Serve) -> None:
    urls = [serve(new_device(name)) for name in ("hub", "other")]
    ids = {requests.get(url + INFO).json()["instance_id"] for url in urls}
    assert len(ids) == 2


def test_stopped_server_leaves_no_thread_and_no_port(new_device: NewDevice) -> None:
    threads = threading.active_count()
    server = DeviceServer(new_device("hub"))
    # A connection that is kept open must not keep the server.
    with server, requests.Session() as session:
        session.get(server.base_url + INFO).raise_for_status()
        server.stop()
        server.stop()
        assert threading.active_count() == threads
        with pytest.raises(requests.ConnectionError):
            requests.get(server.base_url + INFO)
