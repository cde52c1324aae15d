"""What a device has, no hub sends it again, however the hub came by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from morango.models.certificates import Certificate
from morango.sync.controller import MorangoProfileController

from course_assignment.facility.models import FULL_FACILITY, PROFILE, Collection
from course_assignment.simulation.stock import extended_morango
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.network import Network
from tests import school
from tests.conftest import NewDevice
from tests.stock.in_process import stock_morango

ASSIGNMENTS = 3


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network


def _found(hub: Device) -> Collection:
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.enrol(school.new_user(facility, "ada"), classroom)
        for number in range(ASSIGNMENTS):
            school.assign(classroom, f"Course {number}")
    return facility


def _pulled_twice(device: Device, base_url: str) -> tuple[int, int]:
    with device:
        joined = school.join(base_url, "ada")
        with SyncDriver.connect(base_url) as driver:
            (of_hub,) = driver.connection.get_remote_certificates(joined.dataset_id, scope_def_id=FULL_FACILITY)
            own = joined.client_certificate()
            first, second = (driver.sync(own, of_hub, push=False).records(push=False) for _ in range(2))
    return first, second


@pytest.mark.parametrize("stock", [False, True], ids=["ours", "stock"])
def test_hub_that_has_serialized_everything_at_once_sends_nothing_twice(
    stock: bool, network: Network, new_device: NewDevice
) -> None:
    hub, tablet = new_device("hub"), new_device("tablet")
    _found(hub)
    with hub:
        MorangoProfileController(PROFILE).serialize_into_store()
    tablet.while_active = (stock_morango,) if stock else ()
    hub.while_active = (extended_morango,)

    first, second = _pulled_twice(tablet, network.add(hub))

    assert (first > 0, second) == (True, 0)


def test_hub_that_has_everything_from_another_hub_sends_nothing_twice(network: Network, new_device: NewDevice) -> None:
    first_hub, second_hub = new_device("first"), new_device("second")
    facility = _found(first_hub)
    base_url = network.add(first_hub)
    with second_hub:
        driver = SyncDriver.connect(base_url)
        (root,) = driver.connection.get_remote_certificates(facility.dataset_id, scope_def_id=FULL_FACILITY)
        driver.connection.certificate_signing_request(
            root, FULL_FACILITY, {"dataset_id": facility.dataset_id}, userargs="head", password=school.PASSWORD
        )
        own = Certificate.objects.exclude(_private_key=None).get()
        driver.sync(own, Certificate.objects.get(id=facility.dataset_id))
        driver.close()

    first, second = _pulled_twice(new_device("tablet"), network.add(second_hub))

    assert (first > ASSIGNMENTS, second) == (True, 0)
