"""Importing an export: it decides about those who are in it, and about nobody and nothing else."""

from __future__ import annotations

import pytest
from django.utils import timezone

from course_assignment.facility.errors import ExportRefused
from course_assignment.facility.models import Collection, FacilityUser, Membership, Role
from course_assignment.facility.user_export import ExportedUser
from course_assignment.facility.user_import import ImportReport, UserImport
from morango_collection_sync.simulation.device import Device
from tests import school

PASSWORD = "chalk"


def exported(username: str, line: int = 2, **values: object) -> ExportedUser:
    """A row for this user; a learner of no class, without an id, unless ``values`` say otherwise."""
    row = {
        "uuid": "",
        "password": None,
        "full_name": "",
        "user_type": "LEARNER",
        "id_number": "",
        "birth_year": "",
        "gender": "",
        "enrolled_in": (),
        "assigned_to": (),
        **values,
    }
    return ExportedUser(line=line, username=username, **row)  # type: ignore[arg-type]


@pytest.fixture
def facility(device: Device) -> Collection:
    return school.new_facility()


def run(facility: Collection, *rows: ExportedUser, password: str | None = PASSWORD) -> ImportReport:
    return UserImport(facility, password).run(rows)


def classes_of(username: str) -> set[str]:
    memberships = Membership.objects.filter(user__username=username)
    return set(memberships.values_list("collection__name", flat=True))


def roles_of(username: str) -> set[tuple[str, str]]:
    return set(Role.objects.filter(user__username=username).values_list("collection__name", "kind"))


def test_new_user_has_what_the_row_says(facility: Collection) -> None:
    run(facility, exported("lea", full_name="Lea", gender="FEMALE", enrolled_in=("4A",)))

    lea = FacilityUser.objects.get(username="lea")
    assert (lea.full_name, lea.gender, classes_of("lea")) == ("Lea", "FEMALE", {"4A"})
    assert lea.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("user_type", "roles"),
    [
        ("ADMIN", {("Hillside", "admin"), ("4A", "coach")}),
        ("FACILITY_COACH", {("Hillside", "coach"), ("4A", "coach")}),
        ("CLASS_COACH", {("Hillside", "classroom assignable coach"), ("4A", "coach")}),
    ],
)
def test_kind_of_user_gives_a_role_in_the_facility(
    facility: Collection, user_type: str, roles: set[tuple[str, str]]
) -> None:
    run(facility, exported("ana", user_type=user_type, assigned_to=("4A",)))

    assert roles_of("ana") == roles


def test_memberships_and_roles_that_the_row_does_not_name_end(facility: Collection) -> None:
    run(facility, exported("ana", user_type="CLASS_COACH", enrolled_in=("4A", "4B"), assigned_to=("4A", "4C")))

    report = run(facility, exported("ana", user_type="FACILITY_COACH", enrolled_in=("4B",), assigned_to=("4C",)))

    assert classes_of("ana") == {"4B"}
    assert roles_of("ana") == {("Hillside", "coach"), ("4C", "coach")}
    assert report == ImportReport(memberships_ended=1, roles_created=1, roles_ended=2)


def test_those_who_are_not_in_the_file_stay_as_they_are(facility: Collection) -> None:
    run(facility, exported("lea", enrolled_in=("4A",)), exported("leo", 3, enrolled_in=("4A",)))

    run(facility, exported("lea"))

    assert classes_of("leo") == {"4A"}
    assert roles_of("head") == {("Hillside", "admin")}


def test_groups_of_a_class_that_stays_are_kept_and_those_of_one_left_end(facility: Collection) -> None:
    run(facility, exported("lea", enrolled_in=("4A", "4B")))
    lea = FacilityUser.objects.get(username="lea")
    for name in ("4A", "4B"):
        school.enrol(lea, school.new_group(Collection.objects.get(name=name), f"Reds of {name}"))

    run(facility, exported("lea", enrolled_in=("4A",)))

    assert classes_of("lea") == {"4A", "Reds of 4A"}


def test_same_file_again_changes_nothing(facility: Collection) -> None:
    rows = [
        exported("ana", user_type="CLASS_COACH", assigned_to=("4A",), password="secret"),
        exported("lea", 3, uuid="1" * 32, enrolled_in=("4A", "\u00c9cole")),
    ]
    run(facility, *rows)

    assert run(facility, *rows, password=None) == ImportReport()


def test_class_is_found_by_its_name_in_other_letters(facility: Collection) -> None:
    run(facility, exported("lea", enrolled_in=("\u00c9cole",)))

    assert run(facility, exported("leo", enrolled_in=("\u00e9COLE",))).classrooms_created == 0


def test_row_with_the_id_of_a_user_renames_that_user(facility: Collection) -> None:
    run(facility, exported("lea", uuid="1" * 32))
    before = FacilityUser.objects.get(username="lea").id

    report = run(facility, exported("lea_b", uuid="1" * 32))

    assert FacilityUser.objects.get(username="lea_b").id == before
    assert report == ImportReport(users_changed=1)


def test_two_users_change_their_names_with_each_other(facility: Collection) -> None:
    run(facility, exported("lea", uuid="1" * 32), exported("leo", 3, uuid="2" * 32))
    ids = dict(FacilityUser.objects.values_list("username", "id"))

    run(facility, exported("leo", uuid="1" * 32), exported("lea", 3, uuid="2" * 32))

    now = dict(FacilityUser.objects.values_list("username", "id"))
    assert (now["leo"], now["lea"]) == (ids["lea"], ids["leo"])


def test_name_that_its_user_gives_up_in_the_file_goes_to_a_new_one(facility: Collection) -> None:
    run(facility, exported("lea", uuid="1" * 32))

    report = run(facility, exported("lea_b", uuid="1" * 32), exported("lea", 3))

    assert (report.users_created, report.users_changed) == (1, 1)


def test_name_of_one_who_is_not_in_the_file_is_refused_and_nothing_changes(facility: Collection) -> None:
    run(facility, exported("lea", uuid="1" * 32), exported("leo", 3))

    with pytest.raises(ExportRefused) as refusal:
        run(facility, exported("new"), exported("LEO", 3, uuid="1" * 32))

    assert [(row.line, row.reason) for row in refusal.value.rows] == [
        (3, "'LEO' is the name of another user of this facility")
    ]
    assert set(FacilityUser.objects.values_list("username", flat=True)) == {"head", "lea", "leo"}


def test_deleted_user_comes_back_with_the_same_id_and_password(facility: Collection) -> None:
    run(facility, exported("lea", uuid="1" * 32, password="hers"))
    lea = FacilityUser.objects.get(username="lea")
    lea.date_deleted = timezone.now()
    lea.save()

    report = run(facility, exported("lea", uuid="1" * 32), password=None)

    back = FacilityUser.objects.get(username="lea")
    assert (back.id, back.date_deleted) == (lea.id, None)
    assert back.check_password("hers")
    assert report == ImportReport(users_changed=1)


def test_deleted_user_is_not_found_by_name_alone(facility: Collection) -> None:
    lea = school.new_user(facility, "lea")
    lea.date_deleted = timezone.now()
    lea.save()

    assert run(facility, exported("lea")).users_created == 1


def test_password_of_the_file_replaces_the_one_that_is_here(facility: Collection) -> None:
    run(facility, exported("lea", password="old"))

    run(facility, exported("lea", password="new"))

    assert FacilityUser.objects.get(username="lea").check_password("new")


def test_new_user_without_any_password_is_refused(facility: Collection) -> None:
    with pytest.raises(ExportRefused, match="new user 'lea' has no password"):
        run(facility, exported("lea"), password=None)


def test_rows_that_need_a_first_password_are_the_new_ones_without_their_own(facility: Collection) -> None:
    run(facility, exported("here"))
    rows = [exported("here"), exported("new", 3), exported("own", 4, password="own")]

    assert [row.username for row in UserImport(facility, None).without_password(rows)] == ["new"]
