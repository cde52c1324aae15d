"""What verifying a push costs a hub: statements and seconds, beside the same push without.

    python benchmarks/verification.py [RECORDS]

A coach's device pushes course assignments that it has made offline (10,000 by default) over a network without sockets,
once to a hub that verifies and once to one that does not. ``TEST_DATABASE`` chooses the kind of database. Counts are
exact; CPU seconds are of this machine, the database's own not counted where it is a server.
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
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection

from course_assignment.facility.models import Collection, CourseAssignment
from morango_collection_sync.simulation.databases import Databases, migrated_databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.network import Network
from morango_collection_sync.verifier import Finding, RecordVerifier
from tests import school


class Cost:
    """Statements, and CPU seconds of all of them and what lies between, on one device."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin at nothing."""
        self.statements = 0
        self.seconds = 0.0

    def as_json(self) -> dict[str, Any]:
        """A dict of JSON values."""
        return {"statements": self.statements, "cpu_seconds": round(self.seconds, 2)}

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what happens until the end of the block."""
        started = time.process_time()
        with connection.execute_wrapper(self._count):
            yield
        self.seconds += time.process_time() - started

    def _count(self, execute: Any, *arguments: Any) -> Any:
        self.statements += 1
        return execute(*arguments)


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
            cost.clear()
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
    verifying = Cost()
    verify = RecordVerifier.first_finding

    def measured(verifier: RecordVerifier) -> Finding | None:
        if not verifier.transfer_session.push:
            return verify(verifier)
        with verifying.counted():
            return verify(verifier)

    with migrated_databases(prepare=lambda: call_command("loaddata", "scopedefinitions", verbosity=0)) as databases:
        cost_of_push(databases, 10)
        with mock.patch.object(RecordVerifier, "first_finding", measured):
            with_it = cost_of_push(databases, records)
        with mock.patch.object(RecordVerifier, "first_finding", return_value=None):
            without = cost_of_push(databases, records)
    print(
        json.dumps(
            {
                "database": databases.vendor,
                "records": records,
                "hub, verified": with_it.as_json(),
                "hub, not verified": without.as_json(),
                "verifying itself": verifying.as_json(),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
