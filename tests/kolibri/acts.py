"""What is done on a device in the end-to-end tests, in a process that reads and answers a line for each call.

A line is a JSON list of acts, each the name of a function here and its arguments. The answer is ``{"result": ...}``
of the last one or ``{"error": traceback}``. Users go by name; a collection is ``CLASS`` or ``CLASS/GROUP``.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
import uuid
from typing import Any

from tests.kolibri.homes import PASSWORD


def make_facility(name: str) -> dict[str, str]:
    """A facility with the admin ``head``; this device is a hub then."""
    from django.core.management import call_command

    call_command(
        "provisiondevice",
        facility=name,
        superusername="head",
        superuserpassword=PASSWORD,
        preset="formal",
        language_id="en",
        interactive=False,
    )
    return facility()


def facility() -> dict[str, str]:
    """The ids of this device's facility."""
    found = _facility()
    return {"id": found.id, "dataset_id": found.dataset_id}


def add_class(name: str, *groups: str) -> None:
    """A classroom with these learner groups."""
    from kolibri.core.auth.models import Classroom, LearnerGroup

    classroom = Classroom.objects.create(name=name, parent=_facility())
    for group in groups:
        LearnerGroup.objects.create(name=group, parent=classroom)


def add_learner(username: str, *collections: str) -> None:
    """A user who belongs to these collections."""
    from kolibri.core.auth.models import FacilityUser

    user = FacilityUser(username=username, facility=_facility())
    user.set_password(PASSWORD)
    user.save()
    for collection in collections:
        enrol(username, collection)


def add_coach(username: str, *collections: str) -> None:
    """A user who coaches these collections."""
    add_learner(username)
    for collection in collections:
        coach(username, collection)


def enrol(username: str, collection: str) -> None:
    """Make the user a member of the collection."""
    _collection(collection).add_member(_user(username))


def withdraw(username: str, collection: str) -> None:
    """End the user's membership."""
    _collection(collection).remove_member(_user(username))


def coach(username: str, collection: str) -> None:
    """Make the user a coach of the collection."""
    _collection(collection).add_role(_user(username), "coach")


def uncoach(username: str, collection: str) -> None:
    """End the user's role of a coach."""
    _collection(collection).remove_role(_user(username), "coach")


def remove_user(username: str) -> None:
    """Remove a user from this device, as Kolibri's page for the users of a device does."""
    from kolibri.core.auth.utils.delete import delete_imported_user

    delete_imported_user(_user(username))


def join(url: str, facility_id: str, username: str, user: str) -> dict[str, Any]:
    """Make this device one of a user's: a certificate and a device as Kolibri's first sync makes them, and our sync.

    :param user: the user's id
    """
    from kolibri.core.auth.constants.morango_sync import PROFILE_FACILITY_DATA
    from kolibri.core.auth.management.utils import get_client_and_server_certs, get_facility_dataset_id
    from kolibri.core.device.utils import provision_single_user_device
    from morango.sync.controller import MorangoProfileController

    connection = MorangoProfileController(PROFILE_FACILITY_DATA).create_network_connection(url)
    _, dataset_id = get_facility_dataset_id(url, identifier=facility_id, noninteractive=True)
    get_client_and_server_certs(username, PASSWORD, dataset_id, connection, user, facility_id, noninteractive=True)
    said: dict[str, Any] = command("sync", url)
    provision_single_user_device(_user(username))
    return said


def last_synced(username: str) -> float:
    """When Kolibri has noted that the user was synced last, in seconds since 1970."""
    from kolibri.core.device.models import SyncQueue

    return float(SyncQueue.objects.get(user_id=_user(username).id).last_sync)


def command(*arguments: str) -> Any:
    """``kolibri manage collectionsync ARGUMENTS --json``: what it prints, in this process."""
    from django.core.management import call_command

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        call_command("collectionsync", *arguments, "--json")
    return json.loads(printed.getvalue())


def user_id(username: str) -> str:
    """The user's id."""
    return str(_user(username).id)


def assign(collection: str, title: str, by: str | None = None, active: bool = True) -> None:
    """Assign a new course."""
    from course_assignment.kolibri.models import CourseAssignment

    CourseAssignment(
        collection=_collection(collection),
        course=uuid.uuid4().hex,
        title=title,
        assigned_by=_user(by).id if by else None,
        is_active=active,
    ).save()


def rename(title: str, new_title: str) -> None:
    """Give an assignment another title."""
    from course_assignment.kolibri.models import CourseAssignment

    assignment = CourseAssignment.objects.get(title=title)
    assignment.title = new_title
    assignment.save()


def add_lesson(classroom: str, title: str) -> None:
    """A lesson of Kolibri's own for the whole class, which syncs to its learners and never back."""
    from kolibri.core.lessons.models import Lesson, LessonAssignment

    head, collection = _user("head"), _collection(classroom)
    lesson = Lesson.objects.create(title=title, collection=collection, created_by=head, is_active=True, resources=[])
    LessonAssignment.objects.create(lesson=lesson, collection=collection, assigned_by=head)


def start_course(collection: str, title: str, by: str) -> None:
    """A course session of Kolibri's own for a class or a group, with a test, as a coach makes them."""
    from kolibri.core.courses.models import CourseSession, CourseSessionAssignment, UnitTestAssignment

    author, classroom, whom = _user(by), _collection(collection.partition("/")[0]), _collection(collection)
    session = CourseSession.objects.create(
        course=uuid.uuid4().hex, title=title, collection=classroom, created_by=author, is_active=True
    )
    CourseSessionAssignment.objects.create(course_session=session, collection=whom, assigned_by=author)
    UnitTestAssignment.objects.create(
        course_session=session,
        unit_contentnode_id=uuid.uuid4().hex,
        collection=whom,
        test_type="pre",
        activated_by=author,
    )


def rename_course(title: str, new_title: str) -> None:
    """Give a course session of Kolibri's own another title."""
    from kolibri.core.courses.models import CourseSession

    session = CourseSession.objects.get(title=title)
    session.title = new_title
    session.save()


def author_of_course(title: str) -> str | None:
    """Who has made the course session of Kolibri's own with this title."""
    from kolibri.core.courses.models import CourseSession

    author = CourseSession.objects.get(title=title).created_by
    return author and str(author.username)


def limit() -> int | None:
    """The most active assignments of a collection that a person may make on this device."""
    from course_assignment.conf import max_active_per_collection

    return max_active_per_collection()


def rows(*model_names: str) -> int:
    """How many rows of these Morango models are here."""
    from morango.registry import syncable_models

    return sum(
        model.objects.count()
        for model in syncable_models.get_models("facilitydata")
        if model.morango_model_name in model_names
    )


def study(username: str) -> None:
    """Every kind of record that a learner's own work leaves in Kolibri."""
    from django.utils import timezone
    from kolibri.core.bookmarks.models import Bookmark
    from kolibri.core.device.models import DeviceStatus, LearnerDeviceStatus
    from kolibri.core.logger.models import (
        AttemptLog,
        ContentSessionLog,
        ContentSummaryLog,
        MasteryLog,
        UserSessionLog,
    )

    user, now, content = _user(username), timezone.now(), uuid.uuid4().hex
    interval = {"user": user, "start_timestamp": now, "end_timestamp": now}
    session = ContentSessionLog.objects.create(content_id=content, kind="exercise", visitor_id=uuid.uuid4(), **interval)
    summary = ContentSummaryLog.objects.create(content_id=content, kind="exercise", progress=0.5, **interval)
    mastery = MasteryLog.objects.create(
        summarylog=summary, mastery_level=1, mastery_criterion={"type": "do_all"}, **interval
    )
    AttemptLog.objects.create(masterylog=mastery, sessionlog=session, item="1", correct=1, **interval)
    UserSessionLog.update_log(user)
    Bookmark.objects.create(user=user, contentnode_id=uuid.uuid4().hex)
    LearnerDeviceStatus.save_learner_status(user.id, DeviceStatus.InsufficientStorage)


def work_of(username: str) -> dict[str, int]:
    """How many records of each of Kolibri's own models name this user, without who they are and belong to."""
    from morango.models.core import SyncableModel
    from morango.registry import syncable_models

    found = {}
    for model in syncable_models.get_models("facilitydata"):
        names = {field.name for field in model._meta.get_fields()} & {
            "user",
            "created_by",
            "assigned_by",
            "activated_by",
        }
        for name in names:
            if issubclass(model, SyncableModel) and model.__name__ not in ("Membership", "Role", "CourseAssignment"):
                found[model.morango_model_name] = model.objects.filter(**{name: _user(username).id}).count()
    return {name: count for name, count in sorted(found.items()) if count}


def held() -> dict[str, Any]:
    """What this device has: assignments (each with who assigned it), lessons, and what Store has of them."""
    from kolibri.core.auth.models import Collection, FacilityUser
    from morango.models.core import Store

    from course_assignment.kolibri.models import CourseAssignment

    usernames = dict(FacilityUser.objects.values_list("id", "username"))
    names = dict(Collection.objects.values_list("id", "name"))
    stored = Store.objects.filter(model_name="courseassignment", deleted=False).values_list("partition", flat=True)
    return {
        "assignments": {
            title: by and usernames.get(by, by)
            for title, by in CourseAssignment.objects.values_list("title", "assigned_by")
        },
        # Apart from what they are called: a hub that several tests share has some titles twice.
        "rows": sorted(CourseAssignment.objects.values_list("id", "title", "assigned_by")),
        "lessons": lessons(),
        "stored": sorted(names.get(partition.split(":")[1], partition) for partition in stored),
        "undelivered": sorted(Store.objects.filter(dirty_bit=True).values_list("model_name", flat=True)),
    }


def lessons() -> list[str]:
    """The titles of the lessons here; also on a device without the plugin."""
    from kolibri.core.lessons.models import Lesson

    return sorted(Lesson.objects.values_list("title", flat=True))


def open_session() -> dict[str, Any]:
    """The interrupted sync session of this device, and the filter of its transfer session."""
    from morango.models.core import TransferSession

    transfer_session = TransferSession.objects.get(active=True)
    return {"id": transfer_session.sync_session_id, "partitions": list(transfer_session.get_filter())}


def partition(collection: str) -> str:
    """The partition of the collection's records."""
    found = _collection(collection)
    return f"{found.dataset_id}:{found.id}"


def _facility() -> Any:
    from kolibri.core.auth.models import Facility

    return Facility.objects.get()


def _collection(path: str) -> Any:
    from kolibri.core.auth.models import Classroom, LearnerGroup

    classroom, _, group = path.partition("/")
    found = Classroom.objects.get(name=classroom)
    return LearnerGroup.objects.get(name=group, parent=found) if group else found


def _user(username: str) -> Any:
    from kolibri.core.auth.models import FacilityUser

    return FacilityUser.objects.get(username=username)


def main() -> None:
    """Answer line after line until standard input ends."""
    # Kolibri and its commands print; the answers keep the standard output that this process was given.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        from kolibri.utils.main import initialize

        initialize(skip_update=True)
        for line in sys.stdin:
            try:
                result: Any = None
                for name, *arguments in json.loads(line):
                    result = globals()[name](*arguments)
                answer = {"result": result}
            except Exception:
                answer = {"error": traceback.format_exc()}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
