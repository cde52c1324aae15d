"""What Kolibri's own models push and pull keeps every rule, and what does not belong breaks one."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.utils import timezone
from kolibri.core.auth.models import FacilityUser, Role
from kolibri.core.bookmarks.models import Bookmark
from kolibri.core.courses.models import CourseSession
from kolibri.core.device.models import DeviceStatus, LearnerDeviceStatus
from kolibri.core.lessons.models import Lesson
from kolibri.core.logger.models import (
    AttemptLog,
    ContentSessionLog,
    ContentSummaryLog,
    MasteryLog,
    UserSessionLog,
)
from morango.models.core import Buffer, Store, SyncSession, TransferSession
from morango.sync.controller import MorangoProfileController

from morango_collection_sync.verification.records import Scope, Sender
from morango_collection_sync.verification.rules import Rule
from morango_collection_sync.verifier import Finding, RecordVerifier
from tests.kolibri import school

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


def _logs_of(user: FacilityUser) -> None:
    now = timezone.now()
    about = {"user": user, "content_id": uuid.uuid4().hex, "channel_id": uuid.uuid4().hex, "kind": "exercise"}
    session = ContentSessionLog.objects.create(start_timestamp=now, extra_fields={"a": [1]}, **about)
    summary = ContentSummaryLog.objects.create(start_timestamp=now, **about)
    mastery = MasteryLog.objects.create(
        user=user, summarylog=summary, start_timestamp=now, mastery_level=1, mastery_criterion={"type": "m_of_n"}
    )
    AttemptLog.objects.create(
        user=user,
        masterylog=mastery,
        sessionlog=session,
        item="1",
        start_timestamp=now,
        end_timestamp=now,
        correct=1,
        answer={"said": "ü"},
    )
    UserSessionLog.objects.create(user=user)
    Bookmark.objects.create(user=user, contentnode_id=uuid.uuid4().hex)
    LearnerDeviceStatus.save_learner_status(user.id, DeviceStatus.InsufficientStorage)
    ContentSessionLog.objects.create(
        user=None, dataset_id=user.dataset_id, content_id=uuid.uuid4().hex, start_timestamp=now, kind="video"
    )


def _session(partitions: list[str]) -> TransferSession:
    now = timezone.now()
    sync_session = SyncSession.objects.create(id=uuid.uuid4().hex, profile="facilitydata", last_activity_timestamp=now)
    return TransferSession.objects.create(
        id=uuid.uuid4().hex,
        push=True,
        filter="\n".join(partitions),
        sync_session=sync_session,
        last_activity_timestamp=now,
    )


def _buffer(session: TransferSession, **changes: Any) -> None:
    """Everything of the session's filter that is in the Store, as it goes over the line."""
    for stored in Store.objects.filter(profile="facilitydata"):
        if any(stored.partition.startswith(each) for each in session.get_filter()):
            names = [field.attname for field in Buffer._meta.fields if hasattr(stored, field.attname)]
            row = {name: getattr(stored, name) for name in names if name != "id"}
            Buffer.objects.create(transfer_session=session, model_uuid=stored.id, **{**row, **changes})


def _finding(dataset_id: str, partitions: list[str], sender: Sender) -> tuple[int, Finding | None]:
    MorangoProfileController("facilitydata").serialize_into_store()
    session = _session(partitions)
    _buffer(session)
    scope = Scope(dataset_id, "facilitydata", tuple(partitions), tuple(partitions))
    return Buffer.objects.count(), RecordVerifier(session, scope, sender).first_finding()


def test_all_that_a_learner_writes_may_be_pushed() -> None:
    facility = school.new_facility()
    user = school.new_user(facility, "ada")
    _logs_of(user)
    written = [f"{user.dataset_id}:user-rw:{user.id}", f"{user.dataset_id}:anonymous"]

    number, finding = _finding(user.dataset_id, written, Sender.MEMBER)

    assert number == 8
    assert finding is None


def test_course_session_of_a_group_may_be_pushed_by_its_coach() -> None:
    facility = school.new_facility()
    classroom = school.new_classroom(facility, "A")
    coach = school.new_user(facility, "carol")
    classroom.add_coach(coach)
    group = school.new_group(classroom, "A1")
    for collection in (classroom, group):
        CourseSession.objects.create(course=uuid.uuid4().hex, collection=collection, created_by=coach)
    partitions = sorted(set(CourseSession.objects.values_list("_morango_partition", flat=True)))

    number, finding = _finding(coach.dataset_id, partitions, Sender.MEMBER)

    assert number == 2
    assert finding is None


def test_whole_facility_may_be_pushed_by_another_hub() -> None:
    facility = school.new_facility()
    classroom = school.new_classroom(facility, "A")
    user, coach = school.new_user(facility, "ada"), school.new_user(facility, "carol")
    classroom.add_member(user)
    classroom.add_coach(coach)
    _logs_of(user)
    Lesson.objects.create(title="one", collection=classroom, created_by=coach)
    school.new_assignment(school.new_group(classroom, "A1"), "course")

    number, finding = _finding(user.dataset_id, [user.dataset_id], Sender.HUB)

    assert number > 15
    assert finding is None


def test_role_in_a_learners_own_partition_is_found() -> None:
    facility = school.new_facility()
    user = school.new_user(facility, "ada")
    own = f"{user.dataset_id}:user-rw:{user.id}"
    role = Role(dataset_id=user.dataset_id, user=user, collection=facility, kind="admin")
    role.id = Role.compute_namespaced_id(own, role.calculate_source_id(), "role")
    session = _session([own])
    Buffer.objects.create(
        transfer_session=session,
        model_uuid=role.id,
        profile="facilitydata",
        model_name="role",
        partition=own,
        source_id=role.calculate_source_id(),
        serialized=json.dumps(
            {
                "id": role.id,
                "dataset_id": user.dataset_id,
                "user_id": user.id,
                "collection_id": facility.id,
                "kind": "admin",
            }
        ),
        last_saved_instance=uuid.uuid4().hex,
        last_saved_counter=1,
    )

    finding = RecordVerifier(session, Scope(user.dataset_id, "facilitydata", (own,), (own,)), Sender.MEMBER)

    assert finding.first_finding() == Finding(role.id, Rule.CONTENT_OUTSIDE)
