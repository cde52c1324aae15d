"""Devices, a network and its faults in one process, for the tests of any host that syncs its models with Morango.

This package knows Morango and Django, and no host: its models, its certificates and what people do there are the
host's to bring. Django must be set up before it is imported. ::

    with migrated_databases(prepare=load_scope_definitions) as databases, Network() as network:
        hub, tablet = (Device(name, databases.new()) for name in ("hub", "tablet"))
        with hub:
            ...  # this process is the hub: what is saved here is in the hub's database
        base_url = network.add(hub)
        network.faults = RandomFaults(random.Random(seed), rate=0.1)
        try:
            with tablet:
                sync_with(base_url)  # the host's own code, over requests that get lost and processes that die
        except ProcessKilled:
            pass  # the next ``with tablet:`` is the tablet started again
        print(network.trace)

:class:`DeviceServer` serves a device over real HTTP instead, on a port of the loopback interface.
"""

from morango_collection_sync.simulation.clock import Clock
from morango_collection_sync.simulation.databases import Database, Databases, migrated_databases
from morango_collection_sync.simulation.device import Device, ProcessMemory, current_device
from morango_collection_sync.simulation.errors import ProcessKilled
from morango_collection_sync.simulation.faults import (
    Faults,
    Kill,
    Moment,
    NextKill,
    OperationRun,
    PlannedFaults,
    RandomFaults,
    RequestFault,
)
from morango_collection_sync.simulation.network import Network
from morango_collection_sync.simulation.server import DeviceServer
from morango_collection_sync.simulation.trace import Event, Trace

__all__ = [
    "Clock",
    "Database",
    "Databases",
    "Device",
    "DeviceServer",
    "Event",
    "Faults",
    "Kill",
    "Moment",
    "Network",
    "NextKill",
    "OperationRun",
    "PlannedFaults",
    "ProcessKilled",
    "ProcessMemory",
    "RandomFaults",
    "RequestFault",
    "Trace",
    "current_device",
    "migrated_databases",
]
