"""``kolibri manage collectionsync``: what it prints, and how it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from kolibri.core.auth.models import Classroom, Facility, FacilityUser
from morango.models.certificates import Certificate
from morango.models.core import DatabaseMaxCounter
from morango.sync.controller import MorangoProfileController

from course_assignment.kolibri.models import CourseAssignment
from tests.kolibri import school

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def classroom() -> Classroom:
    return school.new_classroom(school.new_facility(), "A")


@pytest.fixture
def learner(classroom: Classroom) -> FacilityUser:
    user = school.new_user(classroom.parent, "ada")
    classroom.add_member(user)
    return user


def _printed(capsys: Any, *arguments: str) -> Any:
    call_command("collectionsync", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_explain_names_the_tie(classroom: Classroom, learner: FacilityUser, capsys: Any) -> None:
    school.new_group(classroom, "red")
    explained = {each["name"]: each for each in _printed(capsys, "explain", "ADA")}
    assert explained["A"] == {
        "collection": classroom.id,
        "name": "A",
        "read": True,
        "write": False,
        "because": ["ada is a member of A"],
    }
    assert (explained["A/red"]["read"], explained["A/red"]["write"]) == (False, False)


def test_explain_prints_a_table_of_one_collection(classroom: Classroom, learner: FacilityUser, capsys: Any) -> None:
    school.new_classroom(classroom.parent, "Other")
    call_command("collectionsync", "explain", learner.id, "a")
    out = capsys.readouterr().out
    assert "ada is a member of A" in out
    assert "Other" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "adda"], "there is no user adda; the nearest are ada"),
        (["explain", "ada", "B"], "there is no collection B"),
        (["audit", "--facility", "f" * 32], f"there is no facility {'f' * 32} on this device"),
        (["quarantine", "discard", "f" * 8], "ffffffff"),
        (["sync"], "this device knows no hub yet; give its address: sync http://HOST:PORT"),
        (["sync", "http://127.0.0.1:1"], "Unable to connect to: http://127.0.0.1:1"),
        (["leave", "ada"], "this device does not sync for 'ada'"),
    ],
)
def test_what_a_person_gets_wrong_is_one_line(learner: FacilityUser, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message) as raised:
        call_command("collectionsync", *arguments)
    assert "\n" not in str(raised.value)


def test_audit_of_a_hub_in_order_is_silent(classroom: Classroom, capsys: Any) -> None:
    school.new_assignment(classroom, "one")
    call_command("collectionsync", "audit")
    assert capsys.readouterr().out == ""


def test_audit_of_a_device_tells_of_what_nobody_may_read_and_release_takes_it(
    classroom: Classroom, learner: FacilityUser, capsys: Any
) -> None:
    other = school.new_classroom(classroom.parent, "Other")
    school.new_assignment(other, "gone")
    MorangoProfileController("facilitydata").serialize_into_store()
    # A member device: no key for the whole facility, and nobody's certificate but the learner's.
    own = school.single_user_certificate(learner)
    Certificate.objects.update(_private_key=None)
    own.save()

    with pytest.raises(SystemExit) as ended:
        call_command("collectionsync", "audit", "--json")
    findings = json.loads(capsys.readouterr().out)
    released = _printed(capsys, "release")

    assert ended.value.code == 1
    assert {finding["partition"] for finding in findings if finding["reason"].startswith("no user")} == {
        f"{other.dataset_id}:{other.id}"
    }
    assert released["released"] == {other.id: 1}
    assert not CourseAssignment.objects.exists()


def test_audit_mends_counters_and_tells_of_each_once_however_many_facilities_there_are(
    classroom: Classroom, capsys: Any
) -> None:
    Facility.objects.create(name="Another")
    partition = f"{classroom.dataset_id}:{classroom.id}"
    for where, counter in ((partition, -1), (partition + "'", 1)):
        DatabaseMaxCounter.objects.create(partition=where, instance_id="d0" * 16, counter=counter)

    with pytest.raises(SystemExit):
        call_command("collectionsync", "audit", "--json")
    found = json.loads(capsys.readouterr().out)
    mended = _printed(capsys, "audit", "--mend")
    call_command("collectionsync", "audit")

    assert [each["partition"] for each in found] == [each["partition"] for each in mended["mended"]]
    assert sorted(each["partition"] for each in found) == [partition, partition + "'"]
    assert mended["findings"] == []
    assert not DatabaseMaxCounter.objects.exists()
    assert capsys.readouterr().out == ""


def test_quarantine_lists_restores_and_discards(classroom: Classroom, learner: FacilityUser, capsys: Any) -> None:
    edits = [school.quarantined_edit(school.new_assignment(classroom, title), learner) for title in ("first", "second")]

    listed = _printed(capsys, "quarantine", "list")
    assert [edit["record"]["title"] for edit in listed] == ["edited first", "edited second"]
    assert listed[0]["writable_by"] == ["ada"]

    assert _printed(capsys, "quarantine", "discard", edits[1].id)["id"] == edits[1].id
    assert [edit["id"] for edit in _printed(capsys, "quarantine", "list")] == [edits[0].id]
