"""Bringing an export's users, classrooms, memberships and roles into the facility of this hub."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction

from course_assignment.facility.errors import ExportRefused, RowError
from course_assignment.facility.models import (
    Collection,
    CollectionKind,
    FacilityUser,
    Membership,
    Role,
    RoleKind,
)
from course_assignment.facility.text import name_key
from course_assignment.facility.user_export import ExportedUser

_FACILITY_ROLES = {
    "ADMIN": RoleKind.ADMIN,
    "FACILITY_COACH": RoleKind.COACH,
    "CLASS_COACH": RoleKind.ASSIGNABLE_COACH,
}


@dataclass
class ImportReport:
    """How much an import changed."""

    users_created: int = 0
    users_changed: int = 0
    classrooms_created: int = 0
    memberships_created: int = 0
    memberships_ended: int = 0
    roles_created: int = 0
    roles_ended: int = 0


class UserImport:
    """One import into one facility.

    Each user of the export gets what their row says: memberships of classrooms and roles that it does not name
    end. Users who are not in it stay as they are, and so do groups. A row is of the user whom Kolibri's id names,
    the deleted ones too, and only then of the user who has the name.

    :param facility: the facility of this hub
    :param default_password: for new users whose password the export does not tell; None if there is none
    """

    def __init__(self, facility: Collection, default_password: str | None) -> None:
        self.facility = facility
        self.dataset = facility.dataset
        self.report = ImportReport()
        self._default_password = default_password
        # Hashing takes a tenth of a second by design; those who get the same first password share the work.
        self._default_hash: str | None = None
        self._classrooms: dict[str, Collection] = {}
        self._memberships: dict[str, dict[Collection, Membership]] = defaultdict(dict)
        self._roles: dict[str, dict[tuple[Collection, str], Role]] = defaultdict(dict)

    def without_password(self, exported: Iterable[ExportedUser]) -> list[ExportedUser]:
        """Those rows that make new users and do not tell their passwords. Changes nothing."""
        exported = list(exported)
        known = match_users(exported, self._users())
        return [row for row in exported if row.line not in known and row.password is None]

    def run(self, exported: Iterable[ExportedUser]) -> ImportReport:
        """Import these users, all or none.

        :raises ExportRefused: when a new user has no password, or a name is another user's; nothing is changed
        """
        exported = list(exported)
        with transaction.atomic():
            users = self._users()
            known = match_users(exported, users)
            self._refuse_bad_rows(exported, known, users)
            self._read_ties()
            # The nodes of a tree are renumbered at each insert; once is enough.
            with Collection.objects.delay_mptt_updates():
                for row in exported:
                    for name in (*row.enrolled_in, *row.assigned_to):
                        self._ensure_classroom(name)
            for row in exported:
                user = self._save_user(row, known.get(row.line))
                self._save_memberships(user, row)
                self._save_roles(user, row)
        return self.report

    def _users(self) -> list[FacilityUser]:
        return list(FacilityUser.objects.filter(dataset=self.dataset))

    def _refuse_bad_rows(
        self, exported: list[ExportedUser], known: dict[int, FacilityUser], users: list[FacilityUser]
    ) -> None:
        errors = []
        for row in exported:
            if row.line not in known and row.password is None and self._default_password is None:
                errors.append(RowError(row.line, f"new user {row.username!r} has no password, and there is no default"))
        renamed = {user.id for user in known.values()}
        # Who is in the file has the name that the file says, which no other row of it has.
        kept = {name_key(user.username) for user in users if user.date_deleted is None and user.id not in renamed}
        errors += [
            RowError(row.line, f"{row.username!r} is the name of another user of this facility")
            for row in exported
            if name_key(row.username) in kept
        ]
        if errors:
            raise ExportRefused(f"{len(errors)} bad row(s), and nothing was imported:", errors)

    def _read_ties(self) -> None:
        for classroom in Collection.objects.filter(dataset=self.dataset, kind=CollectionKind.CLASSROOM):
            self._classrooms[name_key(classroom.name)] = classroom
        memberships = Membership.objects.filter(dataset=self.dataset, collection__kind=CollectionKind.CLASSROOM)
        for membership in memberships.select_related("collection"):
            self._memberships[membership.user_id][membership.collection] = membership
        for role in Role.objects.filter(dataset=self.dataset).select_related("collection"):
            self._roles[role.user_id][role.collection, role.kind] = role

    def _ensure_classroom(self, name: str) -> None:
        if name_key(name) not in self._classrooms:
            classroom = Collection(dataset=self.dataset, parent=self.facility, name=name, kind=CollectionKind.CLASSROOM)
            classroom.save()
            self._classrooms[name_key(name)] = classroom
            self.report.classrooms_created += 1

    def _save_user(self, row: ExportedUser, user: FacilityUser | None) -> FacilityUser:
        values = {
            "username": row.username,
            "full_name": row.full_name,
            "id_number": row.id_number,
            "birth_year": row.birth_year,
            "gender": row.gender,
            "date_deleted": None,
        }
        if user is None:
            user = FacilityUser(dataset=self.dataset, password=self._password_hash(row), **values)
            if row.uuid:
                # The id is made from it: the same export makes the same users again, whatever their names are then.
                user._morango_source_id = row.uuid
            user.save()
            self.report.users_created += 1
            return user
        changed = {name: value for name, value in values.items() if getattr(user, name) != value}
        if row.password is not None and not user.check_password(row.password):
            changed["password"] = make_password(row.password)
        if changed:
            for name, value in changed.items():
                setattr(user, name, value)
            user.save()
            self.report.users_changed += 1
        return user

    def _password_hash(self, row: ExportedUser) -> str:
        if row.password is not None:
            return make_password(row.password)
        if self._default_hash is None:
            self._default_hash = make_password(self._default_password)
        return self._default_hash

    def _save_memberships(self, user: FacilityUser, row: ExportedUser) -> None:
        wanted = {self._classrooms[name_key(name)] for name in row.enrolled_in}
        held = self._memberships[user.id]
        for classroom in wanted - held.keys():
            Membership(dataset=self.dataset, user=user, collection=classroom).save()
            self.report.memberships_created += 1
        for classroom in held.keys() - wanted:
            held[classroom].delete()
            self.report.memberships_ended += 1

    def _save_roles(self, user: FacilityUser, row: ExportedUser) -> None:
        wanted = {(self._classrooms[name_key(name)], str(RoleKind.COACH)) for name in row.assigned_to}
        if row.user_type in _FACILITY_ROLES:
            wanted.add((self.facility, str(_FACILITY_ROLES[row.user_type])))
        held = self._roles[user.id]
        for collection, kind in wanted - held.keys():
            Role(dataset=self.dataset, user=user, collection=collection, kind=kind).save()
            self.report.roles_created += 1
        for place in held.keys() - wanted:
            held[place].delete()
            self.report.roles_ended += 1


def match_users(exported: Iterable[ExportedUser], users: Iterable[FacilityUser]) -> dict[int, FacilityUser]:
    """Whom each row is about, by the row's line; the lines of new users are not in it. Pure.

    :param users: all users of the facility, the deleted ones too
    """
    exported, users = list(exported), list(users)
    by_uuid = {user._morango_source_id: user for user in users}
    known = {row.line: by_uuid[row.uuid] for row in exported if row.uuid in by_uuid}
    taken = {user.id for user in known.values()}
    by_name = {name_key(user.username): user for user in users if user.date_deleted is None and user.id not in taken}
    for row in exported:
        if row.line not in known and name_key(row.username) in by_name:
            known[row.line] = by_name[name_key(row.username)]
    return known
