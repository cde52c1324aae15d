"""What people do on the devices of a school, each of it told to the oracle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from course_assignment.errors import AssignmentError
from course_assignment.facility import assignments, roster
from course_assignment.facility.errors import NotPermitted
from course_assignment.facility.models import Collection, CollectionKind, CourseAssignment, FacilityUser
from course_assignment.simulation.promises import BrokenPromise
from course_assignment.simulation.seats import Seat
from course_assignment.simulation.versions import Assigned, AssignmentKey, CollectionKey, TieKey

if TYPE_CHECKING:
    from course_assignment.simulation.names import Names
    from course_assignment.simulation.observed import Observed
    from course_assignment.simulation.oracle import Oracle


class People(ABC):
    """What a :class:`~course_assignment.simulation.school.School` lets people do."""

    names: Names
    oracle: Oracle
    _serial: int

    @abstractmethod
    def observe(self, seat: Seat) -> Observed:
        """What a device has now."""

    def serial(self) -> int:
        """A number that nothing else has, for what a person writes."""
        self._serial += 1
        return self._serial

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

    def _facility(self) -> Collection:
        return Collection.objects.get(kind=CollectionKind.FACILITY)

    def _collection(self, label: str) -> Collection:
        return Collection.objects.get(id=self.names.collection_id(label))

    def _user(self, label: str) -> FacilityUser:
        return FacilityUser.objects.get(id=self.names.user_id(label))
