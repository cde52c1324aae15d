"""Faults that are drawn from a seed, and faults that are planned."""

from __future__ import annotations

import random

import pytest
from morango.constants import transfer_stages

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

MANY = 2000

STAGES = (transfer_stages.QUEUING, transfer_stages.CLEANUP)
RUNS = [OperationRun(stage, "Any", is_server) for stage in STAGES for is_server in (False, True)]
CLEANUP = OperationRun(transfer_stages.CLEANUP, "CleanupOperation", False)


def draws(seed: int, **knobs: object) -> list[RequestFault | None]:
    faults = RandomFaults(random.Random(seed), **knobs)  # type: ignore[arg-type] # each test passes its own
    return [faults.for_request() for _ in range(MANY)]


def kills_in(faults: Faults) -> list[Kill]:
    """What is killed, when after each request every operation runs once."""
    kills = []
    for _ in range(MANY):
        faults.for_request()
        for kill in map(faults.for_operation, RUNS):
            if kill is not None:
                faults.happened[kill.moment] += 1
                kills.append(kill)
    return kills


def test_same_seed_draws_the_same_faults() -> None:
    assert draws(1) == draws(1)
    assert draws(1) != draws(2)


def test_same_seed_draws_the_same_kills() -> None:
    assert kills_in(RandomFaults(random.Random(1))) == kills_in(RandomFaults(random.Random(1)))


def test_every_kind_is_drawn() -> None:
    assert set(draws(1)) == {None, *RequestFault}


def test_only_the_chosen_kinds_are_drawn() -> None:
    drawn = draws(1, requests=[RequestFault.REPEAT], kills=False)
    assert set(drawn) == {None, RequestFault.REPEAT}


@pytest.mark.parametrize("rate", [0, 0.1, 1])
def test_rate_is_the_share_of_requests_with_a_fault(rate: float) -> None:
    drawn = draws(1, rate=rate, kills=False)
    assert sum(fault is not None for fault in drawn) / MANY == pytest.approx(rate, abs=0.02)


def test_no_process_is_killed_unless_asked_for() -> None:
    assert kills_in(RandomFaults(random.Random(1), kills=False)) == []


def test_every_stage_on_both_sides_and_every_moment_is_killed_at() -> None:
    kills = kills_in(RandomFaults(random.Random(1), rate=1, requests=[]))
    assert {kill.run for kill in kills} == set(RUNS)
    assert {kill.moment for kill in kills} == set(Moment)


def test_planned_fault_happens_at_its_request_only() -> None:
    faults = PlannedFaults({2: RequestFault.DELAY})
    assert [faults.for_request() for _ in range(3)] == [None, RequestFault.DELAY, None]


def test_planned_kill_happens_once() -> None:
    kill = Kill(CLEANUP, Moment.BEFORE)
    faults = PlannedFaults(kill=kill)
    assert faults.for_operation(OperationRun(CLEANUP.stage, CLEANUP.operation, True)) is None
    assert faults.for_operation(CLEANUP) is kill
    faults.happened[kill.moment] += 1
    assert faults.for_operation(CLEANUP) is None


def test_next_kill_waits_for_its_side_and_stage_and_skips() -> None:
    kill = NextKill(Moment.AFTER, skip=1, stage=transfer_stages.CLEANUP, is_server=False)
    faults = PlannedFaults(kill=kill)
    killed = [run for run in RUNS * 2 if faults.for_operation(run) is not None]
    assert killed == [OperationRun(transfer_stages.CLEANUP, "Any", False)]


def test_next_kill_is_tried_until_it_has_happened() -> None:
    faults = PlannedFaults(kill=NextKill(Moment.AFTER))
    assert [faults.for_operation(run) for run in RUNS[:2]] == [Kill(run, Moment.AFTER) for run in RUNS[:2]]
    faults.happened[Moment.AFTER] += 1
    assert faults.for_operation(RUNS[2]) is None
