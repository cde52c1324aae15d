"""What verifying a push costs a hub: statements and seconds, beside the same push without.

    python benchmarks/verification.py [RECORDS]

A coach's device pushes course assignments that it has made offline (10,000 by default) over a network without sockets,
once to a hub that verifies and once to one that does not. ``TEST_DATABASE`` chooses the kind of database. Counts are
exact; seconds are of this machine, and only worth comparing with each other.
"""

# ruff: noqa: E402 - models can be imported once Django is set up, and not before

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection
from morango.registry import session_middleware

from course_assignment.facility.models import Collection, CourseAssignment
from morango_collection_sync.operations.verifying import VerifyRecords
from morango_collection_sync.simulation.databases import Databases, migrated_databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.network import Network
from tests import school


class Cost:
    """Statements, and seconds of all of them and what lies between, on one device."""

    def __init__(self) -> None:
        self.statements = 0
        self.seconds = 0.0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what happens until the end of the block."""
        started = time.perf_counter()
        with connection.execute_wrapper(self._count):
            yield
        self.seconds += time.perf_counter() - started

    def _count(self, execute: Any, *arguments: Any) -> Any:
        self.statements += 1
        return execute(*arguments)


@contextmanager
def without_verification() -> Iterator[None]:
    """Take the operation that verifies out of its stage."""
    before = [list(group) for group in session_middleware]
    for group in session_middleware:
        group[:] = [each for each in group if not isinstance(each, VerifyRecords)]
    try:
        yield
    finally:
        for group, operations in zip(session_middleware, before):
            group[:] = operations


def cost_of_push(databases: Databases, records: int) -> Cost:
    """What a hub spends on a push of so many new records."""
    cost = Cost()
    hub = Device("hub", databases.new())
    laptop = Device("laptop", databases.new())
    with hub:
        facility = school.new_facility()
        classroom = school.new_classroom(facility, "A")
        school.new_role(school.new_user(facility, "carol"), classroom)
    hub.while_active = (cost.counted,)
    with Network() as network:
        base_url = network.add(hub)
        with laptop:
            joined = school.join(base_url, "carol")
            joined.sync(push=False)
            _make(Collection.objects.get(id=classroom.id), records)
            cost.statements, cost.seconds = 0, 0.0
            assert joined.sync(pull=False).records(push=True) == records
    return cost


def _make(classroom: Collection, records: int) -> None:
    rows = []
    for number in range(records):
        row = CourseAssignment(
            dataset_id=classroom.dataset_id, collection=classroom, course=f"{number:032x}", title=f"Course {number}"
        )
        row.id = row.calculate_uuid()
        rows.append(row)
    CourseAssignment.objects.bulk_create(rows)


def main() -> None:
    """Measure and print."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with migrated_databases(prepare=lambda: call_command("loaddata", "scopedefinitions", verbosity=0)) as databases:
        cost_of_push(databases, 10)
        with_it = cost_of_push(databases, records)
        with without_verification():
            without = cost_of_push(databases, records)
    print(
        json.dumps(
            {
                "database": databases.vendor,
                "records": records,
                "verified": {"statements": with_it.statements, "seconds": round(with_it.seconds, 2)},
                "not verified": {"statements": without.statements, "seconds": round(without.seconds, 2)},
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
