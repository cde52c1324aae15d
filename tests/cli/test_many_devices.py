"""A class of tablets that wakes up together meets one hub."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.cli.homes import Home, Homes, Outcome, ServerHome
from tests.cli.schools import PASSWORD

USERS = ("ana", "bea", "lea", "leo", "lia", "lou")
DEVICES = 8
"""Two users have two."""

WORKERS = 4
"""Processes that serve one database, where it is one that several may serve."""


def test_every_device_finishes_when_all_come_at_once(homes: Homes, hub: Home) -> None:
    tablets = [homes.new(f"tablet-{number}") for number in range(DEVICES)]
    with ExitStack() as serving:
        urls = [serving.enter_context(worker.served()).url for worker in _workers(hub)]

        joined = _at_once(
            tablets,
            [
                ("join", urls[number % len(urls)], "--user", USERS[number % len(USERS)], "--password", PASSWORD)
                for number in range(len(tablets))
            ],
        )
        synced = _at_once(tablets, [("sync", urls[number % len(urls)]) for number in range(len(tablets))])

    assert [outcome.stderr for outcome in [*joined, *synced] if outcome.status] == []


def _workers(hub: Home) -> list[Home]:
    if not isinstance(hub, ServerHome):
        return [hub]
    others = [hub.path.with_name(f"{hub.path.name}-{number}") for number in range(1, WORKERS)]
    for path in others:
        path.mkdir()
    return [hub, *(ServerHome(path, hub.server, hub.name) for path in others)]


def _at_once(tablets: Sequence[Home], commands: Sequence[Sequence[str]]) -> list[Outcome]:
    with ThreadPoolExecutor(max_workers=len(tablets)) as pool:
        return list(pool.map(lambda pair: pair[0].run(*pair[1]), zip(tablets, commands)))
