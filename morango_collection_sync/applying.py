"""Applying what is in Morango's Store to the app's tables, for a filter of any length."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from morango.models.core import Store

from morango_collection_sync import upstream
from morango_collection_sync.edits import serialize_edits
from morango_collection_sync.prefixes import Prefixes
from morango_collection_sync.retries import until_settled

_MOST_PREFIXES = 400
"""As many conditions as fit into Morango's statement on SQLite, whose expressions are at most 1000 deep."""


def apply_stored(profile: str, sync_filter: Iterable[str]) -> None:
    """Apply the records of a filter that wait to be applied, as Morango does, after the edits made here meanwhile.

    With more partitions than one statement of Morango's takes, the other waiting records of their datasets are tried
    with them, so that what they refer to is always applied in the same transaction, and before them.

    :param sync_filter: prefixes of partitions
    :raises OperationalError: for a conflict with other transactions that did not settle
    """
    sync_filter = tuple(sync_filter)
    wanted = Prefixes(sync_filter)
    prefixes = {prefix for partition in _waiting(profile) for prefix in wanted.of(partition)[:1]}
    if not prefixes:
        return
    # First, so that nothing is applied over an edit.
    serialize_edits(profile, sync_filter)
    if len(prefixes) > _MOST_PREFIXES:
        prefixes = {prefix[:32] for prefix in prefixes}
    covering = upstream.CoveringFilter(prefixes, sync_filter)
    until_settled(partial(upstream.deserialize, profile, covering))


def _waiting(profile: str) -> set[str]:
    waiting = Store.objects.filter(profile=profile, dirty_bit=True).order_by()
    return set(waiting.values_list("partition", flat=True).distinct())
