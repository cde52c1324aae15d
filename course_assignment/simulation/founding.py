"""How a school begins: its hubs, users and classes, made once for all schools of one size."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from course_assignment.facility import roster
from course_assignment.facility.models import FULL_FACILITY, SINGLE_USER, FacilityUser
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.simulation.databases import Database, Databases

if TYPE_CHECKING:
    from course_assignment.simulation.names import Names
    from course_assignment.simulation.oracle import Oracle
    from course_assignment.simulation.school import School

PASSWORD = "chalk"
ADMIN = "head"
ROGUE = "course-rogue"
"""The course that a lying device assigns."""


@dataclass(frozen=True)
class Beginning:
    """A school on its first day, to be copied.

    :param hubs: the name and the database of each
    :param serial: the last number that was used
    :param keys: how many keys are in use
    """

    dataset_id: str
    names: Names
    oracle: Oracle
    hubs: list[tuple[str, Database]]
    serial: int
    keys: int

    def told(self) -> tuple[Names, Oracle]:
        """A copy of what is known about it."""
        return deepcopy((self.names, self.oracle))


_beginnings: WeakKeyDictionary[Databases, dict[Any, Beginning]] = WeakKeyDictionary()


def beginning(databases: Databases, size: Any, make: Callable[[], Beginning]) -> Beginning:
    """The beginning of every school of this size, made when it is asked for first."""
    made = _beginnings.setdefault(databases, {})
    if size not in made:
        made[size] = make()
    return made[size]


def found(school: School) -> Beginning:
    """Make a facility with its users, its classes, and all hubs having synced."""
    knobs = school.knobs
    first = school.new_seat("hub-1", is_hub=True)
    school.hubs.append(first)
    with first.device:
        facility = roster.create_facility("School", ADMIN, PASSWORD)
        school.dataset_id = str(facility.dataset_id)
        for number in range(knobs.users):
            label = f"user{number + 1}"
            user = FacilityUser(dataset_id=school.dataset_id, username=label)
            user.set_password(PASSWORD)
            user.save()
            school.names.users[user.id] = label
    for course in [*school.courses, ROGUE]:
        school.names.course_id(course)
    for _ in range(knobs.classes):
        school.new_collection(first, None)
    for number in range(1, knobs.hubs):
        hub = school.new_seat(f"hub-{number + 1}", is_hub=True)
        with school.connection(hub, first) as driver:
            certify(driver, ADMIN, full_facility=True)
        school.hubs.append(hub)
        school.sync(hub, first)
    hubs = [(hub.name, school.databases.copy(hub.device.database)) for hub in school.hubs]
    return Beginning(school.dataset_id, school.names, school.oracle, hubs, school.serial(), school.keys.used)


def certify(driver: SyncDriver, username: str, *, full_facility: bool) -> None:
    """Get this device a certificate for a user, from the hub that the driver is connected to."""
    session = driver.connection.session
    answer = session.get(driver.connection.base_url + "api/facility/v1/user/", auth=(username, PASSWORD))
    user = answer.json()
    (root, *_) = driver.connection.get_remote_certificates(user["dataset_id"], FULL_FACILITY)
    params = {"dataset_id": user["dataset_id"]}
    driver.connection.certificate_signing_request(
        root,
        FULL_FACILITY if full_facility else SINGLE_USER,
        params if full_facility else {**params, "user_id": user["id"]},
        userargs=username,
        password=PASSWORD,
    )
