"""The school: its hubs and tablets on a simulated network, what its people do there, and the oracle that is told."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any
from unittest import mock

from morango.errors import MorangoError
from morango.models.certificates import Certificate, Filter
from morango.models.core import Store
from morango.sync.controller import MorangoProfileController
from requests.exceptions import RequestException

from course_assignment.facility import leaving
from course_assignment.facility.device import certificate_user_id, own_certificates
from course_assignment.facility.models import FULL_FACILITY, PROFILE, SINGLE_USER, CourseAssignment
from course_assignment.simulation.checks import check_agreement, check_audit, check_device
from course_assignment.simulation.founding import ADMIN, ROGUE, Beginning, beginning, certify, found
from course_assignment.simulation.keys import Keys
from course_assignment.simulation.names import Names
from course_assignment.simulation.observed import Observed, Quarantined, observe
from course_assignment.simulation.oracle import Oracle
from course_assignment.simulation.people import People
from course_assignment.simulation.promises import BrokenPromise
from course_assignment.simulation.seats import Knobs, Seat
from course_assignment.simulation.stock import extended_morango, stock_morango
from morango_collection_sync import quarantine
from morango_collection_sync.audit import audit
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.errors import CollectionSyncError
from morango_collection_sync.quarantine import NotWritable
from morango_collection_sync.simulation.databases import Database, Databases
from morango_collection_sync.simulation.device import Device
from morango_collection_sync.simulation.errors import ProcessKilled
from morango_collection_sync.simulation.faults import Faults, RandomFaults
from morango_collection_sync.simulation.network import Network

SyncFailure = (CollectionSyncError, MorangoError, RequestException)
"""What a sync may fail with."""


class School(People):
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
        self.stock_tablet: Seat | None = None
        self.stock_hub: Seat | None = None
        self.syncs: Counter[str] = Counter()
        self.happened: Counter[Any] = Counter()
        self._serial = 0
        self._open = ExitStack()
        self.courses = [f"course-{number + 1}" for number in range(knobs.courses)]
        self.dataset_id = ""
        self.keys = Keys()

    def __enter__(self) -> School:
        size = replace(self.knobs, seed=0, devices=0, faults=0)
        first_day = beginning(self.databases, size, lambda: _first_day(self.databases, size))
        self.names, self.oracle = first_day.told()
        self.dataset_id, self._serial, self.keys = first_day.dataset_id, first_day.serial, Keys(first_day.keys)
        self._open_doors()
        self.hubs = [self._seat(name, database.copy(), is_hub=True) for name, database in first_day.hubs]
        return self

    def _open_doors(self) -> None:
        ids = random.Random(f"ids of {self.knobs}")
        with ExitStack() as stack:
            stack.callback(self._drop)

            def next_id() -> uuid.UUID:
                return uuid.UUID(int=ids.getrandbits(128), version=4)

            # Ids that are the same in every run, or what is sorted by them would not be.
            stack.enter_context(mock.patch("uuid.uuid4", next_id))
            stack.enter_context(self.keys.in_use())
            stack.enter_context(self.network)
            self._open = stack.pop_all()

    def __exit__(self, *exc_info: Any) -> None:
        self._open.close()

    @property
    def all_seats(self) -> list[Seat]:
        """Every device."""
        stock = [seat for seat in (self.stock_tablet, self.stock_hub) if seat is not None]
        return [*self.hubs, *self.tablets, *stock]

    def observe(self, seat: Seat) -> Observed:
        """What a device has now."""
        if seat.seen is None:
            with seat.device:
                seen = observe(self.names)
            seat.seen = seen
        return seat.seen

    # Devices

    def join(self, seat: Seat, hub: Seat, user: str) -> bool:
        """Get a device a certificate for a user; whether the network let it."""
        with self.connection(seat, hub) as driver:
            if driver is None:
                return False
            certify(driver, user, full_facility=False)
            seat.users.append(user)
            self.oracle.joined(seat.name, user)
            return True

    def new_tablet(self) -> Seat:
        """A device that nobody has used yet."""
        seat = self.new_seat(f"tablet-{len(self.tablets) + 1}", is_hub=False)
        self.tablets.append(seat)
        return seat

    def without_extension(self, hub: Seat, user: str) -> tuple[Seat, Seat]:
        """The tablet, used by somebody, and the hub that run stock Morango."""
        if self.stock_tablet is None:
            self.stock_tablet = self.new_seat("stock-tablet", is_hub=False, is_stock=True)
            self.join(self.stock_tablet, hub, user)
        if self.stock_hub is None:
            self.stock_hub = self.new_seat("stock-hub", is_hub=True, is_stock=True)
            with self.connection(self.stock_hub, hub) as driver:
                certify(driver, ADMIN, full_facility=True)
        return self.stock_tablet, self.stock_hub

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

    def decide(self, seat: Seat, edit: Quarantined, *, restore: bool) -> None:
        """Let a person restore an edit from quarantine, or give it up."""
        before = self.observe(seat)
        writable = edit.key.collection in self.oracle.rights(seat.name, seat.users, before).writable
        with seat.device:
            found = quarantine.find_edit(edit.id)
            if not restore:
                quarantine.discard(found)
            else:
                try:
                    quarantine.restore(found)
                except NotWritable as error:
                    if writable:
                        raise BrokenPromise("P3", seat.name, f"the edit of {edit.key} is not restored") from error
                    return
        if restore and not writable:
            raise BrokenPromise("P7", seat.name, f"an edit of {edit.key} is restored, where nobody here may write")
        self.oracle.decided(seat.name, edit, restored=restore and (edit.value is not None or edit.key in before.rows))

    def may_put_back(self, seat: Seat) -> bool:
        """Whether a device has a backup, and has met one other device at most since, which has the extension."""
        met = seat.backups[0][3] if seat.backups else set()
        return (
            bool(seat.backups) and len(met) <= 1 and met <= {each.name for each in self.all_seats if not each.is_stock}
        )

    def rogue(self, hub: Seat, user: str, label: str, victim: str) -> None:
        """A coach's device pushes an assignment to a collection of theirs whose content is of another collection."""
        seat = self.new_seat(f"rogue-{self.serial()}", is_hub=False)
        try:
            with self.connection(seat, hub) as driver:
                certify(driver, user, full_facility=False)
                own, theirs = self._certificates(driver, user)
                driver.sync(own, theirs, push=False)
                row = CourseAssignment(
                    dataset_id=self.dataset_id,
                    collection=self._collection(label),
                    course=self.names.course_id(ROGUE),
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
                with self.connection(seat, hub) as driver:
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
            self.syncs["with faults"] += type(self.network.faults) is not Faults
            self.oracle.synced(
                seat.name,
                hub.name,
                user,
                granted,
                pull=pull,
                push=push,
                sure=completed and not resumed,
                stock=seat.is_stock,
                forgetful=seat.is_stock or hub.is_stock,
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
                self._sync_anew(hub, self.hubs[0])
            for seat in tablets:
                if seat.must_meet is not None:
                    self.sync(seat, hubs[seat.must_meet])
                if not again or self._has_news(seat):
                    self._sync_anew(seat, self.hubs[0], push=not again)
        for hub in self.hubs[1:]:
            self._sync_anew(hub, self.hubs[0])
        self.check_agreement()

    def _sync_anew(self, seat: Seat, hub: Seat, *, push: bool = True) -> None:
        """A sync that takes up an interrupted one carries what there was then; this brings what there is now."""
        resumed = self.syncs["resumed"]
        self.sync(seat, hub, push=push)
        if self.syncs["resumed"] > resumed:
            self.sync(seat, hub, push=push)

    def _has_news(self, seat: Seat) -> bool:
        """Whether the first hub has something for a device, or may have, for all that anybody knows."""
        hub = self.hubs[0]
        observed = self.observe(hub)
        granted = self.oracle.rights(hub.name, seat.users, observed)
        return self.oracle.has_news(seat.name, hub.name, granted, (self.observe(seat), observed))

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
    def connection(self, seat: Seat, hub: Seat) -> Iterator[SyncDriver | None]:
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

    def new_seat(self, name: str, *, is_hub: bool, is_stock: bool = False) -> Seat:
        """A device on the network that nobody has used yet."""
        seat = self._seat(name, self.databases.new(), is_hub=is_hub, is_stock=is_stock)
        self.oracle.add(name, is_hub=is_hub, is_stock=is_stock)
        return seat

    def _seat(self, name: str, database: Database, *, is_hub: bool, is_stock: bool = False) -> Seat:
        device = Device(name, database)
        seat = Seat(device, self.network.add(device), is_hub, is_stock)
        device.while_active = (seat.changing, stock_morango if is_stock else extended_morango)
        return seat

    def _drop(self) -> None:
        for seat in self.all_seats:
            seat.device.database.drop()
            for database, *_ in seat.backups:
                database.drop()


def _first_day(databases: Databases, size: Knobs) -> Beginning:
    school = School(databases, size)
    school._open_doors()
    with school._open:
        return found(school)
