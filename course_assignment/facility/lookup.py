"""Finding users and collections by what a person calls them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from course_assignment.facility.errors import AmbiguousName, UnknownName
from course_assignment.facility.models import Collection, CollectionKind, FacilityUser
from morango_collection_sync.partitions import is_hex_id


def find_user(name: str) -> FacilityUser:
    """The user of this name (whatever its case) or id.

    :raises UnknownName: when there is none, or only a deleted one
    """
    users = FacilityUser.objects.filter(date_deleted__isnull=True)
    user = users.filter(**({"id": name} if is_hex_id(name) else {"username__iexact": name})).first()
    if user is None:
        raise UnknownName("user", name, _nearest(name, users.values_list("username", flat=True)))
    return user


def find_collection(name: str) -> Collection:
    """The collection of this id, of this name where only one has it, or called ``CLASS/GROUP``.

    :raises UnknownName: when there is none
    :raises AmbiguousName: when several have this name
    """
    collections = Collection.objects.exclude(kind=CollectionKind.FACILITY).select_related("parent")
    if is_hex_id(name):
        found = list(collections.filter(id=name))
    else:
        found = list(collections.filter(name__iexact=name))
        if not found and "/" in name:
            class_name, _, group_name = name.rpartition("/")
            found = list(collections.filter(parent__name__iexact=class_name, name__iexact=group_name))
    if not found:
        raise UnknownName("collection", name, _nearest(name, map(full_name, collections)))
    if len(found) > 1:
        choices = [full_name(collection) for collection in found]
        if len(set(choices)) < len(choices) or name in choices:
            choices = [collection.id for collection in found]
        raise AmbiguousName(name, choices)
    return found[0]


def full_name(collection: Collection) -> str:
    """What a collection is called where its name alone may not do: ``CLASS/GROUP`` for a group, else its name."""
    if collection.kind in (CollectionKind.LEARNER_GROUP, CollectionKind.AD_HOC_GROUP) and collection.parent:
        return f"{collection.parent.name}/{collection.name}"
    return str(collection.name)


def _nearest(name: str, names: Iterable[str]) -> list[str]:
    known = {candidate.casefold(): candidate for candidate in names}
    return [known[match] for match in get_close_matches(name.casefold(), list(known), n=3)]
