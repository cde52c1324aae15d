"""Fixtures for whole syncs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from morango_collection_sync.simulation.server import DeviceServer
from tests import school
from tests.conftest import NewDevice
from tests.sync.cutting_proxy import CuttingProxy
from tests.sync.links import Failing, Link


@pytest.fixture
def link(new_device: NewDevice) -> Iterator[Link]:
    """The two devices, joined; nothing is synced yet."""
    hub, laptop = new_device("hub"), new_device("laptop")
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.new_role(school.new_user(facility, "carol"), classroom)
        school.assign(classroom, "from the hub")
    application = Failing()
    with DeviceServer(hub, application) as server, CuttingProxy(server.base_url) as proxy:
        with laptop:
            joined = school.join(proxy.base_url, "carol")
        yield Link(hub, laptop, joined, proxy, application, classroom.id)
