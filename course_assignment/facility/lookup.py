"""Finding users and collections by what a person calls them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from course_assignment.facility.errors import AmbiguousName, UnknownName
from course_assignment.facility.models import Collection, CollectionKind, FacilityUser
from course_assignment.facility.text import name_key
from morango_collection_sync.partitions import is_hex_id

_MOST_NEAREST = 3


def find_user(name: str) -> FacilityUser:
    """The user of this name (whatever its case) or id.

    :raises UnknownName: when there is none, or only a deleted one
    :raises AmbiguousName: when several have this name, as two hubs of a facility may bring about
    """
    users = FacilityUser.objects.filter(date_deleted__isnull=True)
    if is_hex_id(name):
        found = list(users.filter(id=name))
    else:
        names = list(users.values_list("id", "username"))
        key = name_key(name)
        found = list(users.filter(id__in=[user_id for user_id, username in names if name_key(username) == key]))
    if not found:
        shown = [(username, username) for username in users.values_list("username", flat=True)]
        raise UnknownName("user", name, _nearest(name, shown))
    if len(found) > 1:
        raise AmbiguousName("user", name, sorted(user.id for user in found))
    return found[0]


def find_collection(name: str) -> Collection:
    """The collection of this id, of this name where only one has it, or called ``CLASS/GROUP``.

    The facility itself is found by its name where nothing else has it.

    :raises UnknownName: when there is none
    :raises AmbiguousName: when several have this name
    """
    collections = list(Collection.objects.select_related("parent"))
    below = [collection for collection in collections if collection.kind != CollectionKind.FACILITY]
    found = [collection for collection in below if collection.id == name] or _called(name, below)
    found = found or _called(name, (each for each in collections if each.kind == CollectionKind.FACILITY))
    if not found:
        shown = [(called, full_name(each)) for each in below for called in (full_name(each), each.name)]
        raise UnknownName("collection", name, _nearest(name, shown))
    if len(found) > 1:
        choices = [full_name(collection) for collection in found]
        if any(len(_called(choice, below)) > 1 for choice in choices):
            choices = [collection.id for collection in found]
        raise AmbiguousName("collection", name, choices)
    return found[0]


def full_name(collection: Collection) -> str:
    """What a collection is called where its name alone may not do: ``CLASS/GROUP`` for a group, else its name."""
    if collection.kind in (CollectionKind.LEARNER_GROUP, CollectionKind.AD_HOC_GROUP) and collection.parent:
        return f"{collection.parent.name}/{collection.name}"
    return str(collection.name)


def _called(name: str, collections: Iterable[Collection]) -> list[Collection]:
    # Compared as a whole: classes and groups may have a slash in their own names.
    key = name_key(name)
    return [each for each in collections if key in (name_key(each.name), name_key(full_name(each)))]


def _nearest(name: str, names: Iterable[tuple[str, str]]) -> list[str]:
    """The nearest of these: pairs of what something is called, and what it is called where that is not enough."""
    known: dict[str, list[str]] = {}
    for called, shown in names:
        known.setdefault(name_key(called), []).append(shown)
    matches = get_close_matches(name_key(name), list(known), n=_MOST_NEAREST)
    return list(dict.fromkeys(shown for match in matches for shown in known[match]))[:_MOST_NEAREST]
