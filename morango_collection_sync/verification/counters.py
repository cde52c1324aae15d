"""What a peer may say of counters, and what of it this database takes over. Pure.

Counters travel in two formats (``morango.models.core.DatabaseMaxCounter``, 0.8.15): ``{"sub": {partition: {instance:
counter}}, "super": {...}}``, where ``sub`` lies inside the filter and ``super`` holds what a whole prefix of it has,
and an older one, ``{instance: counter}``, for the filter as a whole. Morango formats both into SQL and stores what a
sender says of ``sub`` as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from morango_collection_sync.filter_counters import expanded
from morango_collection_sync.partitions import is_hex_id, is_well_formed

GREATEST_COUNTER = 2**31 - 1
"""The greatest that fits the column: an ``IntegerField`` on PostgreSQL."""

Counters = Mapping[str, int]
"""Instance ids, 32 hex digits, with their counters."""


class SavedCounter(NamedTuple):
    """The greatest counter with which an instance saved a record of a partition last, in one session."""

    partition: str
    instance_id: str
    counter: int


def is_counter(value: object) -> bool:
    """Whether this is a counter that the database can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= GREATEST_COUNTER


def parsed_counters(text: object) -> Any:
    """What a peer has sent as counters; None where that is no JSON."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def counters_problem(declared: Any, sync_filter: Iterable[str], *, by_partition: bool) -> str | None:
    """What is wrong with a peer's counters, as the rest of a sentence; None when nothing is.

    :param declared: as parsed from JSON
    :param sync_filter: the session's partitions
    :param by_partition: whether the session uses the format that has partitions, or the older one
    """
    if not by_partition:
        return None if _are_counters(declared) else "are not instance ids with a counter each"
    if not (isinstance(declared, dict) and set(declared) == {"sub", "super"}):
        return "are not an object of 'sub' and 'super'"
    place = _Place(sync_filter)
    for name, belongs in (("sub", place.is_inside), ("super", place.is_around)):
        part = declared[name]
        if not isinstance(part, dict):
            return f"hold no partitions in {name!r}"
        for partition, counters in part.items():
            # Morango notes an unfiltered serialization under the empty partition.
            if not (is_well_formed(partition) or (name == "super" and partition == "")):
                return f"hold something in {name!r} that is no partition"
            if not belongs(partition):
                return f"hold {partition!r} in {name!r}, which is not of the session's filter"
            if not _are_counters(counters):
                return f"hold something for {partition!r} that is not instance ids with a counter each"
    return None


def sound_part(declared: Any, sync_filter: Iterable[str], *, by_partition: bool) -> Any:
    """What of some counters is well-formed and of the filter; the rest is as if never said.

    For counters that no stranger has declared: what a hub answers, and what this database has from before.
    """
    if not by_partition:
        return _sound_counters(declared)
    place = _Place(sync_filter)
    sound: dict[str, dict[str, Counters]] = {"sub": {}, "super": {}}
    for name, belongs in (("sub", place.is_inside), ("super", place.is_around)):
        part = declared.get(name) if isinstance(declared, dict) else None
        for partition, counters in part.items() if isinstance(part, dict) else ():
            well_formed = is_well_formed(partition) or (name == "super" and partition == "")
            if well_formed and belongs(partition):
                sound[name][partition] = _sound_counters(counters)
    return sound


def justified(
    declared: Any,
    saved: Iterable[SavedCounter],
    sync_filter: Iterable[str],
    own_instance_id: str,
    held: Mapping[tuple[str, str], int],
    *,
    by_partition: bool,
) -> Any:
    """What to take over of a sender's counters: no more than the records of its session show, and only what rises.

    A sender that says that it has all of an instance up to 57 and has sent records of it up to 12 is believed up to
    12. That loses nothing: what has not been sent is asked for as before, and what has been sent never comes again.
    A sender that has been synced as a whole declares the whole, and is believed so for each partition of the filter.

    :param declared: the counters, well-formed
    :param saved: for each partition and instance, the greatest counter of a record of this session
    :param sync_filter: the session's partitions
    :param own_instance_id: this database's own instance, of which nobody else has anything to say
    :param held: the counters that this database has already, by partition and instance
    :param by_partition: as for :func:`counters_problem`
    :return: counters in the format of ``declared``
    """
    shown = _shown_below(saved)
    if by_partition:
        taken: dict[str, dict[str, int]] = {}
        for partition, counters in expanded(declared, sync_filter).items():
            for instance_id, counter in counters.items():
                believed = min(counter, shown.get((partition, instance_id), 0))
                if instance_id != own_instance_id and believed > _held(held, partition, instance_id):
                    taken.setdefault(partition, {})[instance_id] = believed
        return {"sub": taken, "super": {}}
    # Morango stores these for each partition of the filter, so each of them has to show it.
    sync_filter = tuple(sync_filter)
    older: dict[str, int] = {}
    for instance_id, counter in declared.items():
        believed = min([counter, *(shown.get((partition, instance_id), 0) for partition in sync_filter)])
        lowest = min((_held(held, partition, instance_id) for partition in sync_filter), default=0)
        if instance_id != own_instance_id and believed > lowest:
            older[instance_id] = believed
    return older


def declared_of(declared: Any, instance_id: str) -> Iterator[tuple[str, int]]:
    """What counters by partition say of one instance: partitions, each with the instance's counter."""
    for part in ("super", "sub"):
        for partition, counters in declared[part].items():
            if instance_id in counters:
                yield partition, counters[instance_id]


def _shown_below(saved: Iterable[SavedCounter]) -> dict[tuple[str, str], int]:
    """For each partition that has any of these in it or below it, and each instance, the greatest counter."""
    shown: dict[tuple[str, str], int] = {}
    for each in saved:
        for prefix in prefixes_of(each.partition):
            key = (prefix, each.instance_id)
            shown[key] = max(each.counter, shown.get(key, 0))
    return shown


def _held(held: Mapping[tuple[str, str], int], partition: str, instance_id: str) -> int:
    return max(held.get((prefix, instance_id), 0) for prefix in ("", *prefixes_of(partition)))


def prefixes_of(partition: str) -> Iterator[str]:
    """The partition and every one that it lies below, the shortest first."""
    words = partition.split(":")
    return (":".join(words[:count]) for count in range(1, len(words) + 1))


class _Place:
    """Where partitions lie towards a filter. Each is asked of by itself, however long the filter is."""

    def __init__(self, sync_filter: Iterable[str]) -> None:
        self._inside = frozenset(sync_filter)
        self._around = frozenset(prefix for partition in self._inside for prefix in ("", *prefixes_of(partition)))

    def is_inside(self, partition: str) -> bool:
        return not self._inside.isdisjoint(prefixes_of(partition))

    def is_around(self, partition: str) -> bool:
        return partition in self._around


def _are_counters(value: object) -> bool:
    return isinstance(value, dict) and all(is_hex_id(key) and is_counter(counter) for key, counter in value.items())


def _sound_counters(value: object) -> Counters:
    pairs = value.items() if isinstance(value, dict) else ()
    return {key: counter for key, counter in pairs if is_hex_id(key) and is_counter(counter)}
