"""Two that number the tree of the collections at once: one waits for the other, or numbers would be given twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from course_assignment.facility.models import Collection
from morango_collection_sync.simulation.databases import Databases
from tests import school

pytestmark = pytest.mark.usefixtures("device")


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Another process that has the same database, and waits for nobody for long."""
    here = connections["default"]
    connections["default"] = other = here.copy()
    try:
        with transaction.atomic(), other.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '50ms'")
            yield
    finally:
        other.close()
        connections["default"] = here


def _lock_elsewhere(dataset_ids: list[str]) -> None:
    with _elsewhere():
        Collection.objects.lock_trees(dataset_ids)


@pytest.mark.parametrize("is_new", [False, True])
def test_only_one_at_a_time_numbers_a_tree(databases: Databases, is_new: bool) -> None:
    dataset_ids = [] if is_new else [school.new_facility().dataset_id]
    with CaptureQueriesContext(connection) as asked, transaction.atomic():
        Collection.objects.lock_trees(dataset_ids)
        if databases.vendor == "sqlite":
            # That is all it takes: it waits for every other transaction that writes.
            assert [query["sql"] for query in asked] == ["BEGIN IMMEDIATE"]
        else:
            with pytest.raises(OperationalError, match="lock timeout"):
                _lock_elsewhere(dataset_ids)
    if databases.vendor == "postgresql":
        _lock_elsewhere(dataset_ids)


def test_a_collection_that_is_saved_waits_for_who_numbers_its_tree(databases: Databases) -> None:
    facility = school.new_facility()
    with CaptureQueriesContext(connection) as asked:
        school.new_classroom(facility, "A")
    begun = [query["sql"] for query in asked]
    locks = "BEGIN IMMEDIATE" if databases.vendor == "sqlite" else "pg_advisory_xact_lock"
    first = next(number for number, sql in enumerate(begun) if locks in sql)
    assert not any("lft" in sql for sql in begun[:first]), "the numbers are read when nobody else changes them"
