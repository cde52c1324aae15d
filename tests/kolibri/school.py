"""A small school in this process's Kolibri database."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.management import call_command
from kolibri.core.auth.models import Classroom, Collection, Facility, FacilityUser, LearnerGroup
from kolibri.core.device.models import DevicePermissions
from kolibri.core.device.utils import provision_device
from morango.models.certificates import Certificate
from morango.models.core import Store
from morango.models.fields.crypto import Key
from morango.sync.controller import MorangoProfileController

from course_assignment.kolibri.models import CourseAssignment
from morango_collection_sync.models import EditKind, QuarantinedEdit, QuarantineReason
from tests.kolibri.homes import PASSWORD


def new_facility(name: str = "Hillside") -> Facility:
    """A facility on a provisioned device."""
    facility = Facility.objects.create(name=name)
    provision_device(default_facility=facility)
    return facility


def new_classroom(facility: Facility, name: str) -> Classroom:
    """A classroom of the facility."""
    return Classroom.objects.create(name=name, parent=facility)


def new_group(classroom: Classroom, name: str) -> LearnerGroup:
    """A learner group in a classroom."""
    return LearnerGroup.objects.create(name=name, parent=classroom)


def new_user(facility: Facility, username: str) -> FacilityUser:
    """A user of the facility, who belongs to no collection yet."""
    user = FacilityUser(username=username, facility=facility)
    user.set_password(PASSWORD)
    user.save()
    return user


def new_superuser(facility: Facility, username: str = "device-owner") -> FacilityUser:
    """A superuser of this device who has no role in the facility."""
    user = new_user(facility, username)
    DevicePermissions.objects.create(user=user, is_superuser=True)
    return user


def new_assignment(collection: Collection, title: str, **fields: Any) -> CourseAssignment:
    """An active assignment of a new course, unless the fields say otherwise."""
    assignment = CourseAssignment(
        **{"collection": collection, "course": uuid.uuid4().hex, "title": title, "is_active": True, **fields}
    )
    assignment.save()
    return assignment


def single_user_certificate(user: FacilityUser) -> Certificate:
    """A certificate for one user, not saved yet, with its key: this device syncs for that user then."""
    call_command("loaddata", "scopedefinitions", verbosity=0)
    root = Certificate.objects.get(id=user.dataset_id)
    certificate = Certificate(
        parent=root,
        profile="facilitydata",
        scope_definition_id="single-user",
        scope_version=1,
        scope_params=json.dumps({"dataset_id": user.dataset_id, "user_id": user.id}),
        private_key=Key(),
    )
    root.sign_certificate(certificate)
    return certificate


def quarantined_edit(assignment: CourseAssignment, user: FacilityUser) -> QuarantinedEdit:
    """An edit of this assignment's title in quarantine, which the user could write."""
    MorangoProfileController("facilitydata").serialize_into_store()
    stored = Store.objects.get(id=assignment.id)
    content = {**json.loads(stored.serialized), "title": f"edited {assignment.title}"}
    return QuarantinedEdit.objects.create(
        profile="facilitydata",
        dataset_id=assignment.dataset_id,
        collection_id=assignment.collection_id,
        model_name="courseassignment",
        record_id=assignment.id,
        source_id=stored.source_id,
        kind=EditKind.CHANGE,
        reason=QuarantineReason.ACCESS_LOST,
        serialized=json.dumps(content),
        ancestry=json.dumps({stored.last_saved_instance: stored.last_saved_counter}),
        saved_instance=stored.last_saved_instance,
        saved_counter=stored.last_saved_counter,
        user_ids=json.dumps([user.id]),
    )
