"""P11: a process that is killed at any point leaves both sides valid, and the next sync completes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from morango.constants import transfer_stages as stages
from morango.models.core import Store
from requests.exceptions import RequestException

from morango_collection_sync.simulation import (
    Database,
    Databases,
    Device,
    Faults,
    Kill,
    Moment,
    Network,
    OperationRun,
    ProcessKilled,
)
from tests import school

CLIENT, SERVER = "client", "server"
PULL, PUSH = "pull", "push"

STAGES = (
    stages.INITIALIZING,
    stages.SERIALIZING,
    stages.QUEUING,
    stages.TRANSFERRING,
    stages.DEQUEUING,
    stages.DESERIALIZING,
    stages.CLEANUP,
)


@dataclass
class KillInStage(Faults):
    """Kills the process that works at a stage on one side, once, whatever the operation is called that does it."""

    stage: str
    side: str
    moment: Moment

    def __post_init__(self) -> None:
        super().__init__()

    def for_operation(self, run: OperationRun) -> Kill | None:
        if self.happened or run.stage != self.stage or run.is_server != (self.side == SERVER):
            return None
        return Kill(run, self.moment, writes=1)


DONE = [
    (direction, side, stage, Moment.AFTER)
    for direction in (PULL, PUSH)
    for side in (CLIENT, SERVER)
    for stage in STAGES
]
"""The end of each stage on each side."""

AT_WORK = [
    (direction, side, stage, Moment.WITHIN)
    for direction, side, stage in (
        (PULL, SERVER, stages.SERIALIZING),
        (PULL, SERVER, stages.QUEUING),
        (PULL, CLIENT, stages.DEQUEUING),
        (PULL, CLIENT, stages.DESERIALIZING),
        (PUSH, CLIENT, stages.SERIALIZING),
        (PUSH, CLIENT, stages.QUEUING),
        (PUSH, SERVER, stages.DEQUEUING),
        (PUSH, SERVER, stages.DESERIALIZING),
    )
]
"""The middle of the stages in which records move."""

HELD = {"of before", "made on the hub", "made on the laptop"}


@pytest.fixture(scope="module")
def before(databases: Databases) -> Iterator[tuple[Database, Database, school.Joined]]:
    """The databases of a hub and of a coach's laptop, each of which has made an assignment since they last synced."""
    hub, laptop = Device("hub", databases.new()), Device("laptop", databases.new())
    with Network() as network:
        with hub:
            facility = school.new_facility()
            classroom = school.new_classroom(facility, "A")
            school.new_role(school.new_user(facility, "carol"), classroom)
            school.assign(classroom, "of before")
        with laptop:
            joined = school.join(network.add(hub), "carol")
            joined.sync()
            school.assign(classroom, "made on the laptop")
        with hub:
            school.assign(classroom, "made on the hub")
    yield hub.database, laptop.database, joined
    hub.database.drop()
    laptop.database.drop()


@pytest.fixture
def devices(before: tuple[Database, Database, school.Joined]) -> Iterator[tuple[Device, Device]]:
    hub, laptop = Device("hub", before[0].copy()), Device("laptop", before[1].copy())
    yield hub, laptop
    hub.database.drop()
    laptop.database.drop()


@pytest.mark.parametrize(
    ("direction", "side", "stage", "moment"),
    [*DONE, *AT_WORK],
    ids=lambda value: getattr(value, "value", value),
)
def test_sync_after_a_kill_completes(
    before: tuple[Database, Database, school.Joined],
    devices: tuple[Device, Device],
    network: Network,
    direction: str,
    side: str,
    stage: str,
    moment: Moment,
) -> None:
    (hub, laptop), joined = devices, before[2]
    network.add(hub)
    network.faults = KillInStage(stage, side, moment)
    # A client is gone; a server is there again when its client asks again, which may be enough.
    with suppress(ProcessKilled, RequestException), laptop:
        joined.sync(pull=direction == PULL, push=direction == PUSH)
    assert network.faults.happened[moment] == 1

    with laptop:
        joined.sync()

        assert school.held_assignments() == HELD
        on_laptop = stored_assignments()
    with hub:
        assert school.held_assignments() == HELD
        assert stored_assignments() == on_laptop


def stored_assignments() -> dict[str, str]:
    """Each stored assignment's id, and its record byte for byte (P12)."""
    return dict(Store.objects.filter(model_name="courseassignment").values_list("id", "serialized"))
