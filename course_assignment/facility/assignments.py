"""Assigning courses, as a person does it on this device."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction

from course_assignment.errors import AlreadyAssigned, InvalidCourse
from course_assignment.facility.device import DeviceRole, device_role, usernames
from course_assignment.facility.errors import NoSuchAssignment, NotPermitted, UserNeeded
from course_assignment.facility.lookup import find_user, full_name
from course_assignment.facility.models import Collection, CourseAssignment, FacilityUser
from morango_collection_sync.policy import get_policy


@dataclass(frozen=True)
class CourseInfo:
    """What a device needs to show a course that it does not have.

    :param title: the course's title
    :param channel_id: 32 hex digits, or None
    :param content_id: 32 hex digits, or None
    :param channel_version: a whole number, or None
    """

    title: str
    channel_id: str | None = None
    content_id: str | None = None
    channel_version: int | None = None


def acting_user(dataset_id: str, by: str | None) -> FacilityUser | None:
    """Who is at work on this device: whom ``by`` names, else its only user; nobody in particular on a hub.

    :raises UserNeeded: when a member device has several users and nobody said who
    :raises UnknownName: when there is no such user
    """
    if by is not None:
        return find_user(by)
    if device_role() is DeviceRole.HUB:
        return None
    local = sorted(get_policy().local_user_ids(dataset_id))
    if len(local) != 1:
        raise UserNeeded(sorted(usernames(local)))
    return find_user(local[0])


def assign(
    collection: Collection, course: str, info: CourseInfo, user: FacilityUser | None, *, active: bool
) -> CourseAssignment:
    """Assign a course to a collection.

    :param course: the id of the course, 32 hex digits, with or without hyphens
    :param user: who does it; None for the hub itself
    :raises NotPermitted: when the user may not
    :raises AlreadyAssigned: when it is assigned there already
    :raises AssignmentError: for what an assignment refuses
    :raises django.core.exceptions.ValidationError: for a title that is empty or too long
    """
    require_permission(collection, user)
    with transaction.atomic():
        if _assignments(collection, course).exists():
            raise AlreadyAssigned(course, full_name(collection))
        assignment = CourseAssignment(
            course=course,
            collection=collection,
            dataset_id=collection.dataset_id,
            assigned_by=user.id if user else None,
            is_active=active,
            title=info.title,
            channel_id=info.channel_id,
            content_id=info.content_id,
            channel_version=info.channel_version,
        )
        assignment.full_clean(exclude=["id", "_morango_source_id", "_morango_partition"])
        assignment.save()
    return assignment


def set_active(collection: Collection, course: str, user: FacilityUser | None, *, active: bool) -> CourseAssignment:
    """Show an assignment to the learners, or hide it from them.

    :raises NotPermitted: when the user may not
    :raises NoSuchAssignment: when the course is not assigned there
    :raises TooManyActive: when the collection has as many active ones as it may
    """
    require_permission(collection, user)
    with transaction.atomic():
        assignment = _existing(collection, course)
        if assignment.is_active != active:
            assignment.is_active = active
            assignment.save()
    return assignment


def unassign(collection: Collection, course: str, user: FacilityUser | None) -> None:
    """Delete an assignment, here and, once synced, everywhere.

    :raises NotPermitted: when the user may not
    :raises NoSuchAssignment: when the course is not assigned there
    """
    require_permission(collection, user)
    with transaction.atomic():
        _existing(collection, course).delete()


def require_permission(collection: Collection, user: FacilityUser | None) -> None:
    """Check that a user may write in a collection, by what this device knows; nobody in particular always may.

    :raises NotPermitted: when they may not
    """
    if user is None:
        return
    if collection.id not in get_policy().grant_for(user.id, collection.dataset_id).writable:
        raise NotPermitted(user.username, full_name(collection))


def _existing(collection: Collection, course: str) -> CourseAssignment:
    assignment = _assignments(collection, course).first()
    if assignment is None:
        raise NoSuchAssignment(course, full_name(collection))
    return assignment


def _assignments(collection: Collection, course: str):  # type: ignore[no-untyped-def]
    try:
        course_id = uuid.UUID(course).hex
    except ValueError:
        raise InvalidCourse(course) from None
    return CourseAssignment.objects.filter(collection=collection, course=course_id)
