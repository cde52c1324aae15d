"""A filter of many partitions, whose questions take as long for many as for few."""

from __future__ import annotations

from collections.abc import Iterable

from morango.models.certificates import Filter

from morango_collection_sync.prefixes import Prefixes


class LongFilter(Filter):
    """Morango's filter, which compares each of its partitions with each of another filter's; this one looks them up.

    It answers the same (``morango.models.certificates.Filter``, 0.8.15). What is made of it and a filter of Morango's
    is one of these again, whichever stands first.

    :param partitions: in the order in which they are gone through
    """

    def __init__(self, partitions: Iterable[str]) -> None:
        super().__init__("\n".join(dict.fromkeys(partitions)))
        self._prefixes = Prefixes(self)
        self._partitions = frozenset(self)

    def contains_partition(self, partition: str) -> bool:
        return self._prefixes.begin(partition)

    def contains_exact_partition(self, partition: str) -> bool:
        return partition in self._partitions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self._partitions == frozenset(other)

    # Morango's has none either: it says what is equal, and no more.
    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Filter | None) -> LongFilter:
        return self if other is None else LongFilter(filter(None, (*self, *other)))

    def __radd__(self, other: Filter) -> LongFilter:
        return LongFilter(filter(None, (*other, *self)))
