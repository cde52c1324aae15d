"""Arithmetic of the counters that two sides compare: what of one's records the other lacks. Pure.

The form is Morango's second one, ``{"sub": {partition: {instance: counter}}, "super": {...}}``. Each function gives
what Morango's of the same purpose does (``morango.models.fsic_utils``, 0.8.15), which compares every partition with
every other one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from morango_collection_sync.prefixes import Prefixes

Counters = dict[str, int]
"""Instance ids with a counter each."""

ByPartition = dict[str, Counters]
"""For each partition, counters. A partition without any is one of which records are known."""


def without_redundant(counters: Mapping[str, ByPartition]) -> dict[str, ByPartition]:
    """Leave out what a shorter partition says already.

    :param counters: ``sub`` and ``super``
    """
    everything = {**counters["super"], **counters["sub"]}
    above = Prefixes(everything)

    def left(partition: str, held: Counters) -> Counters:
        shorter = [everything[each] for each in above.of(partition) if each != partition]
        return {
            instance: counter
            for instance, counter in held.items()
            if all(each.get(instance, counter - 1) < counter for each in shorter)
        }

    return {
        name: {partition: left(partition, held) for partition, held in counters[name].items()}
        for name in ("super", "sub")
    }


def expanded(counters: Mapping[str, Any], sync_filter: Iterable[str]) -> ByPartition:
    """The counters of each partition alone, with what shorter ones say of it.

    :param counters: ``sub`` and ``super``
    :param sync_filter: the session's partitions
    """
    sub: ByPartition = {partition: dict(held) for partition, held in counters["sub"].items()}
    for partition in sync_filter:
        sub.setdefault(partition, {})
    within, above = Prefixes(sub), Prefixes(counters["super"])
    for partition, held in sub.items():
        if within.of(partition) != [partition]:
            continue
        for prefix in above.of(partition):
            for instance, counter in counters["super"][prefix].items():
                if counter > held.get(instance, 0):
                    held[instance] = counter
    return {partition: held for partition, held in sub.items() if held}


def lacking(sending: ByPartition, receiving: ByPartition) -> ByPartition:
    """From which counters on the receiver lacks what the sender has.

    :param sending: the sender's counters, expanded
    :param receiving: the receiver's counters, expanded
    :return: for each partition and instance with records to send, the counter that the receiver has
    """
    above = Prefixes(receiving)
    result: ByPartition = {}
    for partition, held in sending.items():
        known = [receiving[prefix] for prefix in above.of(partition)]
        for instance, counter in held.items():
            reached = max((each.get(instance, 0) for each in known), default=0)
            if reached < counter:
                result.setdefault(partition, {})[instance] = reached
    return result
