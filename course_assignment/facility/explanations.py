"""Why a user of this facility gets a collection or not."""

from __future__ import annotations

from collections.abc import Iterable

from course_assignment.facility.lookup import full_name
from course_assignment.facility.models import Collection, CollectionKind, FacilityUser
from course_assignment.facility.policy import FacilityPolicy
from morango_collection_sync.explain import Explanation, explain


def collection_names(collection_ids: Iterable[str]) -> dict[str, str]:
    """What these collections are called, by id; those that this device does not know are left out."""
    rows = Collection.objects.filter(id__in=list(collection_ids)).select_related("parent")
    return {row.id: full_name(row) for row in rows}


def explain_user(user: FacilityUser, collection: Collection | None = None) -> list[Explanation]:
    """Explain a user's access to one collection, or to each that this device knows, in the order of the tree."""
    collections = Collection.objects.filter(dataset_id=user.dataset_id).select_related("parent")
    names = {row.id: full_name(row) for row in collections}
    explained = [row.id for row in collections if row.kind != CollectionKind.FACILITY]
    if collection is not None:
        explained = [collection.id]
    facts = FacilityPolicy().facts_for(user.id, user.dataset_id)
    return explain(facts, user.username, names, explained)
