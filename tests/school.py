"""A small school on the embedded host, to be set up in few words. Every function acts on the device it is called on."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from morango.models.certificates import Certificate
from morango.models.core import Store

from course_assignment.facility.models import (
    FULL_FACILITY,
    PROFILE,
    SINGLE_USER,
    Collection,
    CollectionKind,
    CourseAssignment,
    FacilityDataset,
    FacilityUser,
    Membership,
    Role,
    RoleKind,
)
from morango_collection_sync.driver import SyncDriver
from morango_collection_sync.reports import SyncReport

PASSWORD = "chalk"
"""Everybody's, unless another one is given."""


def new_facility(name: str = "Hillside", admin: str = "head") -> Collection:
    """A facility with an admin: this device is a hub then.

    :param admin: the admin's username
    """
    dataset = FacilityDataset()
    dataset.save()
    facility = Collection(dataset=dataset, name=name, kind=CollectionKind.FACILITY)
    facility.full_clean(exclude=["id"])
    facility.save()
    new_role(new_user(facility, admin), facility, RoleKind.ADMIN)
    return facility


def new_user(facility: Collection, username: str, password: str = PASSWORD) -> FacilityUser:
    """A user of the facility, who belongs to no collection yet."""
    user = FacilityUser(dataset_id=facility.dataset_id, username=username)
    user.set_password(password)
    user.save()
    return user


def new_classroom(facility: Collection, name: str) -> Collection:
    """A classroom of the facility."""
    return _new_collection(facility, name, CollectionKind.CLASSROOM)


def new_group(classroom: Collection, name: str, kind: str = CollectionKind.LEARNER_GROUP) -> Collection:
    """A learner group (or an ad hoc one) in a classroom."""
    return _new_collection(classroom, name, kind)


def enrol(user: FacilityUser, collection: Collection) -> Membership:
    """Make the user a member of the collection."""
    membership = Membership(dataset_id=collection.dataset_id, user=user, collection=collection)
    membership.clean()
    membership.save()
    return membership


def withdraw(user: FacilityUser, collection: Collection) -> None:
    """End the user's membership of the collection, and with a classroom's those of its groups."""
    Membership.objects.get(user_id=user.id, collection_id=collection.id).delete()


def new_role(user: FacilityUser, collection: Collection, kind: str = RoleKind.COACH) -> Role:
    """Make the user a coach (or an admin) of the collection."""
    role = Role(dataset_id=collection.dataset_id, user=user, collection=collection, kind=kind)
    role.clean()
    role.save()
    return role


def assign(
    collection: Collection,
    title: str,
    *,
    course: str | None = None,
    by: FacilityUser | None = None,
    active: bool = True,
) -> CourseAssignment:
    """Assign a course to the collection.

    :param course: its id, 32 hex digits; a new one when not given
    """
    assignment = CourseAssignment(
        dataset_id=collection.dataset_id,
        collection=collection,
        course=course or uuid.uuid4().hex,
        title=title,
        assigned_by=by.id if by is not None else None,
        is_active=active,
    )
    assignment.save()
    return assignment


@dataclass(frozen=True)
class Joined:
    """What a device has after it has joined a hub for a user.

    :param base_url: of the hub
    :param user_id: 32 hex digits
    :param dataset_id: 32 hex digits
    """

    base_url: str
    user_id: str
    dataset_id: str

    def sync(self, *, pull: bool = True, push: bool = True) -> SyncReport:
        """Sync this device with the hub for the user.

        :raises: whatever :meth:`SyncDriver.sync` does
        """
        driver = SyncDriver.connect(self.base_url)
        try:
            return driver.sync(self.client_certificate(), self.server_certificate(), pull=pull, push=push)
        finally:
            driver.close()

    def client_certificate(self) -> Certificate:
        """This device's own certificate for the user."""
        owned = (
            Certificate.objects.filter(scope_definition_id=SINGLE_USER).exclude(_private_key=None).defer("_private_key")
        )
        return next(certificate for certificate in owned if self.user_id in certificate.scope_params)

    def server_certificate(self) -> Certificate:
        """The hub's certificate, as this device has it."""
        return Certificate.objects.defer("_private_key").get(id=self.dataset_id)


def join(base_url: str, username: str, password: str = PASSWORD) -> Joined:
    """Get a single-user certificate for this device from a hub. Nothing is synced yet.

    :raises requests.exceptions.HTTPError: when the hub does not know the user and password
    """
    driver = SyncDriver.connect(base_url)
    try:
        # The connection's own session, so that it goes over the simulated network, too.
        answer = driver.connection.session.get(base_url + "api/facility/v1/user/", auth=(username, password))
        user = answer.json()
        (root,) = driver.connection.get_remote_certificates(user["dataset_id"], scope_def_id=FULL_FACILITY)
        driver.connection.certificate_signing_request(
            root,
            SINGLE_USER,
            {"dataset_id": user["dataset_id"], "user_id": user["id"]},
            userargs=username,
            password=password,
        )
    finally:
        driver.close()
    return Joined(base_url, user["id"], user["dataset_id"])


def held_assignments() -> set[str]:
    """The titles of the course assignments in this device's app."""
    return set(CourseAssignment.objects.values_list("title", flat=True))


def stored_assignment_ids() -> set[str]:
    """The ids of the course assignments in this device's Store, without the deleted ones."""
    stored = Store.objects.filter(profile=PROFILE, model_name=CourseAssignment.morango_model_name, deleted=False)
    return set(stored.values_list("id", flat=True))


def _new_collection(parent: Collection, name: str, kind: str) -> Collection:
    collection = Collection(dataset_id=parent.dataset_id, parent=parent, name=name, kind=kind)
    collection.clean()
    collection.save()
    return collection
