"""Finding facilities, users and collections of this Kolibri by what a person calls them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from django.core.management.base import CommandError
from kolibri.core.auth.constants import collection_kinds
from kolibri.core.auth.models import Collection, Facility, FacilityUser

from morango_collection_sync.partitions import is_hex_id


def find_datasets(facility: str | None) -> list[str]:
    """The dataset of the facility with this id, or of every facility on this device; 32 hex digits each.

    :raises CommandError: when there is none
    """
    facilities = Facility.objects.order_by("name")
    found = list((facilities.filter(id=facility) if facility else facilities).values_list("dataset_id", flat=True))
    if not found:
        raise CommandError(
            f"there is no facility {facility} on this device" if facility else "there is no facility yet"
        )
    return found


def find_user(name: str, dataset_ids: Iterable[str]) -> FacilityUser:
    """The user of this name (whatever its case) or id.

    :raises CommandError: when there is none, or several
    """
    users = FacilityUser.objects.filter(dataset_id__in=list(dataset_ids))
    found = list(users.filter(id=name) if is_hex_id(name) else users.filter(username__iexact=name))
    return _only(found, "user", name, list(users.values_list("username", flat=True)))


def find_collection(name: str, dataset_ids: Iterable[str]) -> Collection:
    """The collection of this id, of this name where only one has it, or called ``CLASS/GROUP``.

    :raises CommandError: when there is none, or several
    """
    collections = list(Collection.objects.filter(dataset_id__in=list(dataset_ids)).select_related("parent"))
    key = name.casefold()
    found = [each for each in collections if name == each.id] or [
        each for each in collections if key in (each.name.casefold(), full_name(each).casefold())
    ]
    return _only(found, "collection", name, [full_name(each) for each in collections])


def full_name(collection: Collection) -> str:
    """``CLASS/GROUP`` for a group, else the collection's name."""
    if collection.kind in (collection_kinds.LEARNERGROUP, collection_kinds.ADHOCLEARNERSGROUP) and collection.parent:
        return f"{collection.parent.name}/{collection.name}"
    return str(collection.name)


def collection_names(collection_ids: Iterable[str]) -> dict[str, str]:
    """What these collections are called, by id; those that this device does not know are left out."""
    rows = Collection.objects.filter(id__in=list(collection_ids)).select_related("parent")
    return {row.id: full_name(row) for row in rows}


def usernames(user_ids: list[str]) -> list[str]:
    """The names of these users, in their order; the id of one whose row is not here."""
    known = dict(FacilityUser.all_objects.filter(id__in=user_ids).values_list("id", "username"))
    return [known.get(user_id, user_id) for user_id in user_ids]


def _only(found: list[Any], what: str, name: str, known: list[str]) -> Any:
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"several have the name {name}; say which by id: {', '.join(each.id for each in found)}")
    nearest = get_close_matches(name, known, n=3)
    raise CommandError(f"there is no {what} {name}" + (f"; the nearest are {', '.join(nearest)}" if nearest else ""))
