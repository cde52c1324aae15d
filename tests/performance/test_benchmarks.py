"""What ``make bench`` measures is whole syncs, of stock Morango and of ours, between processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cases import growth
from benchmarks.peer import OURS, STOCK
from benchmarks.processes import Place

COLLECTIONS = 3


@pytest.mark.parametrize("way", [STOCK, OURS])
def test_first_pull_brings_every_collection_and_the_next_one_nothing(way: str, tmp_path: Path) -> None:
    with Place(way, tmp_path, None) as place:
        measured = dict(growth(place, None, COLLECTIONS))

    of_the_coach = 4  # the dataset, the facility, the user and the role
    assert measured["first pull"]["records"] == 2 * COLLECTIONS + of_the_coach
    assert measured["no-op pull"]["records"] == 0
