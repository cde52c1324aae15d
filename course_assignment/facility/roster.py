"""Changing who belongs where: the facility, its groups, memberships and roles. Done on a hub."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction

from course_assignment.facility.errors import RosterError, validation_sentence
from course_assignment.facility.lookup import full_name
from course_assignment.facility.models import (
    Collection,
    CollectionKind,
    FacilityDataset,
    FacilityUser,
    Membership,
    Role,
    RoleKind,
)
from course_assignment.facility.text import name_key


def create_facility(name: str, admin: str, password: str) -> Collection:
    """Make a facility with its dataset, its root certificate and its first admin.

    :param name: what the facility is called
    :param admin: the admin's username
    :param password: the admin's password
    :raises RosterError: when a name is not one to have
    """
    with transaction.atomic():
        dataset = FacilityDataset()
        dataset.save()
        facility = Collection(dataset=dataset, name=name, kind=CollectionKind.FACILITY)
        _save(facility)
        user = FacilityUser(dataset=dataset, username=admin)
        user.set_password(password)
        _save(user)
        _save(Role(dataset=dataset, user=user, collection=facility, kind=RoleKind.ADMIN))
    return facility


def create_group(classroom: Collection, name: str, members: Iterable[FacilityUser]) -> Collection:
    """Make a learner group in a classroom, with these members of it.

    :raises RosterError: when that is no classroom, the name is taken there, or a user is no member of the class
    """
    with transaction.atomic():
        if name_key(name) in map(name_key, classroom.children.values_list("name", flat=True)):
            raise RosterError(f"{full_name(classroom)} has a group called {name!r} already")
        group = Collection(
            dataset_id=classroom.dataset_id, parent=classroom, name=name, kind=CollectionKind.LEARNER_GROUP
        )
        _save(group)
        for user in members:
            enrol(user, group)
    return group


def enrol(user: FacilityUser, collection: Collection) -> bool:
    """Make a user a member of a classroom or group; whether that was new.

    :raises RosterError: when it is the facility, or a group of a class that the user is no member of
    """
    if Membership.objects.filter(user=user, collection=collection).exists():
        return False
    _save(Membership(dataset_id=collection.dataset_id, user=user, collection=collection))
    return True


def withdraw(user: FacilityUser, collection: Collection) -> None:
    """End a user's membership; that of a classroom ends those of its groups.

    :raises RosterError: when there is none
    """
    membership = Membership.objects.filter(user=user, collection=collection).first()
    if membership is None:
        raise RosterError(f"{user.username!r} is no member of {full_name(collection)!r}")
    membership.delete()


def make_coach(user: FacilityUser, collection: Collection) -> bool:
    """Make a user coach of a collection; whether that was new."""
    if Role.objects.filter(user=user, collection=collection, kind=RoleKind.COACH).exists():
        return False
    _save(Role(dataset_id=collection.dataset_id, user=user, collection=collection, kind=RoleKind.COACH))
    return True


def remove_coach(user: FacilityUser, collection: Collection) -> None:
    """End a user's role as a coach of a collection.

    :raises RosterError: when there is none
    """
    role = Role.objects.filter(user=user, collection=collection, kind=RoleKind.COACH).first()
    if role is None:
        raise RosterError(f"{user.username!r} is no coach of {full_name(collection)!r}")
    role.delete()


def _save(row: Collection | FacilityUser | Membership | Role) -> None:
    try:
        # The partition and id are made when it is saved, and mean nothing before.
        row.full_clean(exclude=["id", "_morango_source_id", "_morango_partition"])
    except ValidationError as error:
        raise RosterError(validation_sentence(error)) from error
    row.save()
