"""``audit --mend``: counters that say more than is so are lowered, and nothing else is touched."""

from __future__ import annotations

from filelock import FileLock

from tests.cli.homes import Home
from tests.cli.poisoning import STRANGER
from tests.cli.processes import Outcome


def test_poisoned_counters_are_reported_and_mended_and_nothing_else_is_changed(joined: Home) -> None:
    before = joined.state()
    joined.prepare("tests.cli.poisoning:poison_counters")

    reported = joined.run("audit", "--json")
    mended = joined.ask("audit", "--mend")

    assert reported.status == 1
    assert [(found["kind"], STRANGER in found["reason"]) for found in reported.json()] == [("counter", True)] * 4
    assert mended["findings"] == []
    assert [counter["partition"] for counter in mended["mended"]] == [found["partition"] for found in reported.json()]
    assert joined.state() == before
    assert joined.run("audit") == Outcome(0, "", "")


def test_mending_tells_what_it_did_and_what_it_cannot_help(joined: Home) -> None:
    joined.prepare("tests.cli.poisoning:poison_counters")
    joined.prepare("tests.cli.poisoning:store_of_another_class")

    outcome = joined.run("audit", "--mend")

    assert outcome.status == 1
    mended, _, amiss = outcome.stdout.partition("what ")
    assert mended.count(STRANGER) == 4
    assert "it is negative" in mended
    # What a peer has made up does not reach the terminal as it is.
    assert "\x1b" not in outcome.stdout
    assert "no user of this device may read the collection" in amiss
    assert STRANGER not in amiss


def test_nothing_is_mended_while_a_sync_runs(joined: Home) -> None:
    joined.prepare("tests.cli.poisoning:poison_counters")
    before = joined.state()

    with FileLock(joined.path / "sync.lock"):
        outcome = joined.run("audit", "--mend")

    assert "another process uses" in outcome.refusal
    assert joined.state() == before
