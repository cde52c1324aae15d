"""What happens to requests on the network without sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from morango.models.certificates import Nonce
from morango.sync.syncsession import NetworkSyncConnection
from requests import Response
from requests.exceptions import ConnectionError as RequestLost

from morango_collection_sync.simulation.device import Device, current_device
from morango_collection_sync.simulation.faults import PlannedFaults, RequestFault
from morango_collection_sync.simulation.network import Network
from morango_collection_sync.simulation.trace import Trace
from tests.conftest import NewDevice

FIRST, SECOND = 1, 2


class Asker:
    """A connection of a tablet to a hub, on which a request is a nonce in the hub's database."""

    def __init__(self, hub: Device, base_url: str, network: Network) -> None:
        self.hub = hub
        self.network = network
        self.connection = NetworkSyncConnection(base_url=base_url, retries=0)
        network.trace = Trace()

    def plan(self, **faults: RequestFault) -> None:
        numbers = {"first": FIRST, "second": SECOND}
        self.network.faults = PlannedFaults({numbers[name]: fault for name, fault in faults.items()})

    def ask(self) -> Response:
        return self.connection._get_nonce()

    def arrived(self) -> int:
        with self.hub:
            return Nonce.objects.count()


@pytest.fixture
def asker(new_device: NewDevice, network: Network) -> Iterator[Asker]:
    hub, tablet = new_device("hub"), new_device("tablet")
    base_url = network.add(hub)
    with tablet:
        yield Asker(hub, base_url, network)


def test_request_reaches_the_device_and_its_answer_comes_back(asker: Asker) -> None:
    nonce = asker.ask()
    assert nonce.status_code == 201
    with asker.hub:
        assert Nonce.objects.get().id == nonce.json()["id"]
    assert current_device() is not asker.hub


def test_lost_request_does_not_arrive(asker: Asker) -> None:
    asker.plan(first=RequestFault.LOSE_REQUEST)
    with pytest.raises(RequestLost):
        asker.ask()
    assert asker.arrived() == 0


def test_request_whose_answer_is_lost_has_arrived(asker: Asker) -> None:
    asker.plan(first=RequestFault.LOSE_ANSWER)
    with pytest.raises(RequestLost):
        asker.ask()
    assert asker.arrived() == 1


def test_repeated_request_arrives_twice(asker: Asker) -> None:
    asker.plan(first=RequestFault.REPEAT)
    assert asker.ask().status_code == 201
    assert asker.arrived() == 2


def test_delayed_request_arrives_after_the_next_one(asker: Asker) -> None:
    asker.plan(first=RequestFault.DELAY)
    with pytest.raises(RequestLost):
        asker.ask()
    assert asker.arrived() == 0
    nonce = asker.ask().json()["id"]
    with asker.hub:
        assert Nonce.objects.earliest("timestamp").id == nonce
    assert asker.arrived() == 2


def test_delayed_request_arrives_though_no_other_follows(asker: Asker) -> None:
    asker.plan(first=RequestFault.DELAY)
    with pytest.raises(RequestLost):
        asker.ask()
    asker.network.deliver_late()
    assert asker.arrived() == 1


def test_cut_connection_carries_nothing_any_more(asker: Asker) -> None:
    asker.plan(first=RequestFault.CUT)
    for _ in range(2):
        with pytest.raises(RequestLost):
            asker.ask()
    assert asker.arrived() == 0


def test_other_connections_outlive_a_cut_one(asker: Asker) -> None:
    asker.plan(first=RequestFault.CUT)
    with pytest.raises(RequestLost):
        asker.ask()
    asker.connection = NetworkSyncConnection(base_url=asker.connection.base_url)
    assert asker.ask().status_code == 201


def test_lost_request_is_sent_again_without_waiting(asker: Asker) -> None:
    asker.connection = NetworkSyncConnection(base_url=asker.connection.base_url, retries=3, backoff_factor=60)
    asker.plan(first=RequestFault.LOSE_REQUEST, second=RequestFault.LOSE_REQUEST)
    assert asker.ask().status_code == 201
    assert asker.network.clock.slept >= 60


def test_faults_that_happened_are_counted(asker: Asker) -> None:
    asker.plan(first=RequestFault.REPEAT)
    asker.ask()
    asker.ask()
    assert asker.network.faults.happened == {RequestFault.REPEAT: 1}


def test_device_that_is_not_on_the_network_does_not_answer(asker: Asker) -> None:
    asker.network.remove(asker.hub)
    with pytest.raises(RequestLost):
        asker.ask()


def test_name_that_is_no_hosts_is_refused(network: Network, new_device: NewDevice) -> None:
    with pytest.raises(ValueError, match="cannot be a host's name"):
        network.add(new_device("Ada's tablet"))


def test_trace_tells_what_happened(asker: Asker) -> None:
    asker.plan(second=RequestFault.LOSE_ANSWER)
    asker.ask()
    with pytest.raises(RequestLost):
        asker.ask()
    assert str(asker.network.trace).splitlines() == [
        "tablet POST hub /api/morango/v1/nonces/ -> 201",
        "tablet POST hub /api/morango/v1/nonces/ -> 201 [lose answer]",
    ]
