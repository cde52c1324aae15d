"""The school: its hubs and tablets on a simulated network, what its people do there, and the oracle that is told."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from morango.errors import MorangoError
from morango.models.certificates import Certificate, Filter
from morango.models.core import Store
from morango.sync.controller import MorangoProfileController
from requests.exceptions import RequestException

from course_assignment.errors import AssignmentError
from course_assignment.facility import assignments, leaving, roster
from course_assignment.facility.device import certificate_user_id, own_certificates
from course_assignment.facility.errors import NotPermitted
from course_assignment.facility.models import (
    FULL_FACILITY,
    PROFILE,
    SINGLE_USER,
    Collection,
    CollectionKind,
    CourseAssignment,
    FacilityUser,
)
from course_assignment.simulation.checks import check_agreement, check_audit, check_device
from course_assignment.simulation.keys import Keys
from course_assignment.simulation.names import Names
from course_assignment.simulation.observed import Observed, observe
from course_assignment.simulation.oracle import Oracle
from course_assignment.simulation.promises import BrokenPromise
from course_assignment.simulation.stock import stock_morango
from course_assignment.simulation.versions import Assigned, AssignmentKey, CollectionKey, TieKey
from morango_collection_sync.audit import audit
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.errors import CollectionSyncError
from morango_collection_sync.simulation.databases import Database, Databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.errors import ProcessKilled
from morango_collection_sync.simulation.faults import Faults, RandomFaults
from morango_collection_sync.simulation.network import Network

PASSWORD = "chalk"
ADMIN = "head"

SyncFailure = (CollectionSyncError, MorangoError, RequestException)
"""What a sync may fail with."""


@dataclass(frozen=True)
class Knobs:
    """How large a school is, and how bad its network.

    :param seed: of everything that is left to chance
    :param devices: member devices at most
    :param hubs: hubs, from 1
    :param users: learners and coaches
    :param courses: that can be assigned
    :param classes: that there are to begin with; more are made
    :param faults: the share of requests at which something goes wrong, where a history has faults, 0 to 1
    """

    seed: int = 0
    devices: int = 4
    hubs: int = 2
    users: int = 5
    courses: int = 3
    classes: int = 2
    faults: float = 0.1


@dataclass
class Seat:
    """A device of the school.

    :param device: on the kit
    :param url: where it answers
    :param is_hub: whether it holds the whole facility
    :param is_stock: whether it lacks this extension
    :param backups: copies of its database, each with what the oracle thought of it then
    :param seen: what it had when somebody looked last; None when this process has been the device since
    :param checked: the same, when it was held against the oracle last
    :param must_meet: after it was put back from a backup: the name of the hub that has seen most of it
    """

    device: Device
    url: str
    is_hub: bool
    is_stock: bool = False
    users: list[str] = field(default_factory=list)
    backups: list[tuple[Database, Any, list[str], set[str]]] = field(default_factory=list)
    met_hubs: set[str] = field(default_factory=set)
    must_meet: str | None = None
    seen: Observed | None = None
    checked: Observed | None = None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """For the device's ``while_active``: it may be another one now."""
        self.seen = None
        yield

    @property
    def name(self) -> str:
        return self.device.name


class School:
    """A facility with its hubs, users and classes; devices join as a history goes on.

    Use it as a context manager. Every method that does something tells the oracle of it; :meth:`check` holds all
    devices against the oracle.

    :param databases: where the devices' databases come from
    :param knobs: how large it is
    """

    def __init__(self, databases: Databases, knobs: Knobs) -> None:
        self.databases = databases
        self.knobs = knobs
        self.names = Names()
        self.oracle = Oracle()
        self.network = Network()
        self.chance = random.Random(knobs.seed)
        self.hubs: list[Seat] = []
        self.tablets: list[Seat] = []
        self.stock: Seat | None = None
        self.syncs: Counter[str] = Counter()
        self.happened: Counter[Any] = Counter()
        self._serial = 0
        self._open = ExitStack()
        self._limit = mock.patch("course_assignment.conf.DEFAULT_MAX_ACTIVE", 1000)

    def __enter__(self) -> School:
        ids = random.Random(f"ids of {self.knobs.seed}")
        with ExitStack() as stack:
            stack.callback(self._drop)

            def next_id() -> uuid.UUID:
                return uuid.UUID(int=ids.getrandbits(128), version=4)

            # Ids that are the same in every run, or what is sorted by them would not be.
            stack.enter_context(mock.patch("uuid.uuid4", next_id))
            stack.enter_context(Keys().in_use())
            stack.enter_context(self.network)
            self._found()
            self._open = stack.pop_all()
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._open.close()

    @property
    def all_seats(self) -> list[Seat]:
        """Every device."""
        return [*self.hubs, *self.tablets, *([self.stock] if self.stock else [])]

    def observe(self, seat: Seat) -> Observed:
        """What a device has now."""
        if seat.seen is None:
            with seat.device:
                seen = observe(self.names)
            seat.seen = seen
        return seat.seen

    def serial(self) -> int:
        """A number that nothing else has, for what a person writes."""
        self._serial += 1
        return self._serial

    # What people do

    def new_collection(self, hub: Seat, parent: str | None) -> str:
        """Make a class, or a group of one."""
        label = f"{parent or 'class'}-{self.serial()}"
        with hub.device:
            above = self._facility() if parent is None else self._collection(parent)
            kind = CollectionKind.CLASSROOM if parent is None else CollectionKind.LEARNER_GROUP
            row = Collection(dataset_id=above.dataset_id, parent=above, name=label, kind=kind)
            row.save()
            self.names.collections[row.id] = label
        self.oracle.class_of[label] = parent
        self.oracle.edit(hub.name, CollectionKey(label), label)
        return label

    def rename(self, hub: Seat, label: str) -> None:
        """Give a collection another name."""
        name = f"{label} ({self.serial()})"
        with hub.device:
            row = self._collection(label)
            row.name = name
            row.save()
        self.oracle.edit(hub.name, CollectionKey(label), name)

    def delete_collection(self, hub: Seat, label: str) -> None:
        """Delete a class or a group, with all in it."""
        below = {label, *(group for group, above in self.oracle.class_of.items() if above == label)}
        gone = [key for key in self.observe(hub).rows if key.collection in below]
        with hub.device:
            self._collection(label).delete()
        for key in gone:
            self.oracle.edit(hub.name, key, None)

    def enrol(self, hub: Seat, user: str, label: str) -> None:
        """Make a user a member of a collection."""
        with hub.device:
            roster.enrol(self._user(user), self._collection(label))
        self.oracle.edit(hub.name, TieKey(user, label, "membership"), True)

    def withdraw(self, hub: Seat, user: str, label: str) -> None:
        """End a membership, and with a class's those of its groups."""
        below = {label, *(group for group, above in self.oracle.class_of.items() if above == label)}
        gone = [key for key in self.observe(hub).rows if key.what == "membership" and key.user == user]  # type: ignore[union-attr]
        with hub.device:
            roster.withdraw(self._user(user), self._collection(label))
        for key in gone:
            if key.collection in below:
                self.oracle.edit(hub.name, key, None)

    def coach(self, hub: Seat, user: str, label: str) -> None:
        """Make a user coach of a collection."""
        with hub.device:
            roster.make_coach(self._user(user), self._collection(label))
        self.oracle.edit(hub.name, TieKey(user, label, "role"), True)

    def end_coach(self, hub: Seat, user: str, label: str) -> None:
        """End a user's role as a coach."""
        with hub.device:
            roster.remove_coach(self._user(user), self._collection(label))
        self.oracle.edit(hub.name, TieKey(user, label, "role"), None)

    def assign(self, seat: Seat, user: str | None, label: str, course: str, *, active: bool) -> None:
        """Assign a course, on any device, as one of its users, or as nobody in particular on a hub."""
        title = f"{course} #{self.serial()}"
        with seat.device, self._permitted(seat, user, label):
            assignments.assign(
                self._collection(label),
                self.names.course_id(course),
                assignments.CourseInfo(title),
                self._user(user) if user else None,
                active=active,
            )
        self.oracle.edit(seat.name, AssignmentKey(label, course), Assigned(title, active, user))

    def toggle(self, seat: Seat, user: str | None, key: AssignmentKey, was: Assigned) -> None:
        """Activate an assignment, or deactivate it."""
        with seat.device, self._permitted(seat, user, key.collection):
            assignments.set_active(
                self._collection(key.collection),
                self.names.course_id(key.course),
                self._user(user) if user else None,
                active=not was.active,
            )
        self.oracle.edit(seat.name, key, was._replace(active=not was.active))

    def retitle(self, seat: Seat, user: str | None, key: AssignmentKey, was: Assigned) -> None:
        """Change what an assignment is shown as."""
        title = f"{key.course} #{self.serial()}"
        with seat.device, self._permitted(seat, user, key.collection):
            assignments.require_permission(self._collection(key.collection), self._user(user) if user else None)
            row = CourseAssignment.objects.get(
                collection_id=self.names.collection_id(key.collection), course=self.names.course_id(key.course)
            )
            row.title = title
            row.save()
        self.oracle.edit(seat.name, key, was._replace(title=title))

    def unassign(self, seat: Seat, user: str | None, key: AssignmentKey) -> None:
        """Delete an assignment."""
        with seat.device, self._permitted(seat, user, key.collection):
            assignments.unassign(
                self._collection(key.collection),
                self.names.course_id(key.course),
                self._user(user) if user else None,
            )
        self.oracle.edit(seat.name, key, None)

    @contextmanager
    def _permitted(self, seat: Seat, user: str | None, label: str) -> Iterator[None]:
        try:
            yield
        except (NotPermitted, AssignmentError) as error:
            raise BrokenPromise(
                "P7", seat.name, f"{user} may write in {label}, and was refused: {type(error).__name__}"
            ) from error

    def may_write(self, seat: Seat, user: str, label: str) -> bool:
        """Whether a user may write in a collection by what a device knows."""
        return label in self.oracle.rights(seat.name, [user], self.observe(seat)).writable

    def refuses(self, seat: Seat, user: str, label: str) -> None:
        """A user who may not write in a collection tries to; the device has to refuse it."""
        with seat.device:
            try:
                assignments.require_permission(self._collection(label), self._user(user))
            except NotPermitted:
                return
        raise BrokenPromise("P7", seat.name, f"{user} may not write in {label}, and was let")

    # Devices

    def join(self, seat: Seat, hub: Seat, user: str) -> bool:
        """Get a device a certificate for a user; whether the network let it."""
        with self._connection(seat, hub) as driver:
            if driver is None:
                return False
            _certify(driver, user, full_facility=False)
            seat.users.append(user)
            self.oracle.joined(seat.name, user)
            return True

    def new_tablet(self) -> Seat:
        """A device that nobody has used yet."""
        seat = self._seat(f"tablet-{len(self.tablets) + 1}", is_hub=False)
        self.tablets.append(seat)
        return seat

    def leave(self, seat: Seat, user: str) -> None:
        """Make a device no longer one of a user's."""
        with seat.device:
            leaving.leave(self.names.user_id(user))
        seat.users.remove(user)
        self.oracle.left(seat.name, user, self.observe(seat))

    def back_up(self, seat: Seat) -> None:
        """Copy a device's database."""
        copy = (seat.device.database.copy(), self.oracle.snapshot(seat.name), list(seat.users), set())
        for former, *_ in seat.backups:
            former.drop()
        seat.backups = [copy]

    def put_back(self, seat: Seat) -> None:
        """Put a device back to its last backup."""
        ((database, snapshot, users, met),) = seat.backups
        seat.backups = []
        seat.device.restore(database)
        seat.seen = None
        seat.users = users
        self.oracle.put_back(seat.name, snapshot)
        seat.must_meet = next(iter(met), None)

    def may_put_back(self, seat: Seat) -> bool:
        """Whether a device has a backup, and has met one other device at most since."""
        return bool(seat.backups) and len(seat.backups[0][3]) <= 1

    def rogue(self, hub: Seat, user: str, label: str, victim: str) -> None:
        """A coach's device pushes an assignment to a collection of theirs whose content is of another collection."""
        seat = self._seat(f"rogue-{self.serial()}", is_hub=False)
        try:
            with self._connection(seat, hub) as driver:
                _certify(driver, user, full_facility=False)
                own, theirs = self._certificates(driver, user)
                driver.sync(own, theirs, push=False)
                row = CourseAssignment(
                    dataset_id=self.dataset_id,
                    collection=self._collection(label),
                    course=self.names.course_id("course-rogue"),
                    title="rogue",
                )
                row.save()
                sync_filter = Filter(f"{self.dataset_id}:{self.names.collection_id(label)}")
                MorangoProfileController(PROFILE).serialize_into_store(filter=sync_filter)
                stored = Store.objects.get(id=row.id)
                stored.serialized = stored.serialized.replace(row.collection_id, self.names.collection_id(victim))
                stored.save()
                with suppress(*SyncFailure):
                    driver.sync(own, theirs, pull=False)
        finally:
            self.network.remove(seat.device)
            seat.device.database.drop()

    # What happens

    def sync(
        self,
        seat: Seat,
        hub: Seat,
        *,
        pull: bool = True,
        push: bool = True,
        faults: Faults | None = None,
    ) -> bool:
        """Let a device sync with a hub, for each of its users; whether all of it was completed."""
        self.network.deliver_late()
        if faults is not None:
            self.network.faults = faults
        for each in (seat, hub):
            for backup in each.backups:
                backup[3].add(hub.name if each is seat else seat.name)
        try:
            done = self._sync(seat, hub, pull=pull, push=push)
        finally:
            self.happened.update(self.network.faults.happened)
            self.network.faults = Faults()
        return done

    def random_faults(self) -> Faults:
        """What goes wrong in a faulty sync."""
        return RandomFaults(self.chance, self.knobs.faults)

    def _sync(self, seat: Seat, hub: Seat, *, pull: bool, push: bool) -> bool:
        users: list[str | None] = [None] if seat.is_hub else list(seat.users)
        for user in users:
            hub_before = self.observe(hub)
            granted = None
            if user is not None:
                granted = self.oracle.rights(hub.name, [user], hub_before)
                if seat.is_stock or hub.is_stock:
                    granted = granted._replace(readable=frozenset(), writable=frozenset())
            writable = self.oracle.rights(seat.name, seat.users, self.observe(seat)).writable
            before = self.oracle.before(seat.name, hub.name, (self.observe(seat), hub_before))
            completed = resumed = False
            try:
                with self._connection(seat, hub) as driver:
                    if driver is not None:
                        own, theirs = self._certificates(driver, user)
                        report = driver.sync(own, theirs, pull=pull, push=push)
                        completed, resumed = True, report.resumed
            except SyncFailure as error:
                self._note_failure(error)
            except ProcessKilled:
                pass
            # What is still under way arrives, before anybody looks.
            self.network.deliver_late()
            self.syncs["completed" if completed else "failed"] += 1
            self.oracle.synced(
                seat.name,
                hub.name,
                user,
                granted,
                pull=pull,
                push=push,
                sure=completed and not resumed,
                stock=seat.is_stock,
                writable=writable,
                before=before,
                after=(self.observe(seat), self.observe(hub)),
            )
            if not completed:
                return False
            if resumed:
                self.syncs["resumed"] += 1
        if pull and seat.must_meet == hub.name:
            seat.must_meet = None
        return True

    def check(self) -> None:
        """Hold every device against the oracle.

        :raises BrokenPromise: when a promise is broken
        """
        for seat in self.all_seats:
            if seat.seen is not None and seat.checked is seat.seen:
                # This process has not been that device since.
                continue
            observed = self.observe(seat)
            check_device(self.oracle, seat.name, observed, self.dataset_id, seat.checked)
            if self.oracle.is_tidy(seat.name):
                with seat.device:
                    findings = audit(PROFILE, self.dataset_id)
                seat.seen = observed
                check_audit(self.oracle, seat.name, observed, findings, self.names)
            seat.checked = observed

    def settle(self) -> None:
        """Let all sync with all until nothing is new, and hold them against each other.

        :raises BrokenPromise: when two do not agree
        """
        tablets = [seat for seat in self.tablets if seat.users]
        hubs = {hub.name: hub for hub in self.hubs}
        for again in (False, True):
            for hub in self.hubs[1:]:
                self.sync(hub, self.hubs[0])
            for seat in tablets:
                if seat.must_meet is not None:
                    self.sync(seat, hubs[seat.must_meet])
                self.sync(seat, self.hubs[0], push=not again)
        for hub in self.hubs[1:]:
            self.sync(hub, self.hubs[0])
        self.check_agreement()

    def check_agreement(self) -> None:
        """Hold all devices against each other, when all have synced with nothing new in between.

        :raises BrokenPromise: when two do not agree
        """
        seats = [*self.hubs, *(seat for seat in self.tablets if seat.users)]
        everything = {seat.name: self.observe(seat) for seat in seats}
        check_agreement(everything, self.oracle, [seat.name for seat in self.hubs])
        self.happened["lost track of a record"] += len(self.oracle.lost_track_of)
        self.oracle.agreed(everything, self.hubs[0].name)

    # The rest is how.

    def _note_failure(self, error: Exception) -> None:
        self.happened[f"failed: {type(error).__name__}"] += 1
        if type(self.network.faults) is Faults:
            raise BrokenPromise("P11", "", f"a sync without faults failed: {type(error).__name__}: {error}") from error

    @contextmanager
    def _connection(self, seat: Seat, hub: Seat) -> Iterator[SyncDriver | None]:
        """A connection from a device, which the process is meanwhile; None where there is none to be had."""
        with seat.device:
            try:
                driver = SyncDriver.connect(hub.url)
            except RequestException as error:
                self._note_failure(error)
                yield None
                return
            with driver:
                yield driver

    def _certificates(self, driver: SyncDriver, user: str | None) -> tuple[Certificate, Certificate]:
        owned = own_certificates(FULL_FACILITY) if user is None else own_certificates(SINGLE_USER)
        wanted = self.names.user_id(user) if user else None
        own = next(each for each in owned if wanted is None or certificate_user_id(each) == wanted)
        return own, driver.connection.get_remote_certificates(self.dataset_id, FULL_FACILITY)[0]

    def _found(self) -> None:
        first = self._seat("hub-1", is_hub=True)
        self.hubs.append(first)
        with first.device:
            facility = roster.create_facility("School", ADMIN, PASSWORD)
            self.dataset_id = str(facility.dataset_id)
            for number in range(self.knobs.users):
                label = f"user{number + 1}"
                user = FacilityUser(dataset_id=self.dataset_id, username=label)
                user.set_password(PASSWORD)
                user.save()
                self.names.users[user.id] = label
        self.courses = [f"course-{number + 1}" for number in range(self.knobs.courses)]
        for course in [*self.courses, "course-rogue"]:
            self.names.course_id(course)
        for _ in range(self.knobs.classes):
            self.new_collection(first, None)
        for number in range(1, self.knobs.hubs):
            hub = self._seat(f"hub-{number + 1}", is_hub=True)
            with self._connection(hub, first) as driver:
                _certify(driver, ADMIN, full_facility=True)
            self.hubs.append(hub)
            self.sync(hub, first)

    def _seat(self, name: str, *, is_hub: bool, is_stock: bool = False) -> Seat:
        device = Device(name, self.databases.new())
        seat = Seat(device, self.network.add(device), is_hub, is_stock)
        device.while_active = (seat.changing, stock_morango) if is_stock else (seat.changing,)
        self.oracle.add(name, is_hub=is_hub)
        return seat

    def stock_tablet(self) -> Seat:
        """The one device without this extension."""
        if self.stock is None:
            self.stock = self._seat("stock-1", is_hub=False, is_stock=True)
        return self.stock

    def _drop(self) -> None:
        for seat in self.all_seats:
            seat.device.database.drop()
            for database, *_ in seat.backups:
                database.drop()

    def _facility(self) -> Collection:
        return Collection.objects.get(kind=CollectionKind.FACILITY)

    def _collection(self, label: str) -> Collection:
        return Collection.objects.get(id=self.names.collection_id(label))

    def _user(self, label: str) -> FacilityUser:
        return FacilityUser.objects.get(id=self.names.user_id(label))


def _certify(driver: SyncDriver, username: str, *, full_facility: bool) -> None:
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
