"""``serve``: one on a home, beside everything else that is done there, until it is asked to end."""

from __future__ import annotations

import signal

import pytest

from tests.cli.homes import Home, Homes
from tests.cli.processes import Serving
from tests.cli.schools import PASSWORD


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_server_says_its_address_first_and_ends_quietly(hub: Home, by: signal.Signals) -> None:
    with hub.served() as serving:
        assert serving.first_line == f"Serving Bergstation at {serving.url} (Ctrl-C stops).\n"
        assert serving.stop(by) == 0
        assert serving.log.read_text() == ""


def test_home_is_free_again_once_the_server_was_killed(hub: Home) -> None:
    with hub.served() as serving:
        serving.stop(signal.SIGKILL)

    with hub.served() as again:
        assert again.url


def test_second_server_on_a_home_is_refused(served: Serving) -> None:
    home = served.home

    outcome = home.run("serve", "--port", "0")

    assert outcome.refusal == (
        f"another process uses {home.path} (serve); wait until it has ended, or give another --home"
    )


def test_address_in_use_is_told(served: Serving, homes: Homes, small_school: Home) -> None:
    port = served.url.rstrip("/").rpartition(":")[2]
    other = homes.copy(small_school, "other")

    assert other.run("serve", "--port", port).refusal == f"cannot serve at 127.0.0.1:{port}: Address already in use"


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_host_may_be_a_name_or_an_address_of_six(hub: Home, joined: Home, host: str) -> None:
    with hub.served("--host", host, "--port", "0") as serving:
        joined.do("sync", serving.url)


def test_two_devices_sync_while_the_roster_changes(homes: Homes, hub: Home, serving: Serving, joined: Home) -> None:
    from concurrent.futures import ThreadPoolExecutor

    coach = homes.new("coach")
    with ThreadPoolExecutor() as pool:
        work = [
            pool.submit(coach.do, "join", serving.url, "--user", "ana", "--password", PASSWORD),
            pool.submit(joined.do, "sync", serving.url),
            pool.submit(hub.do, "group", "4A", "Greens", "leo"),
            pool.submit(hub.do, "coach", "bea", "4A"),
        ]
        for each in work:
            each.result()

    assert serving.process.poll() is None
    assert serving.log.read_text() == ""
