"""Prefixes of partitions, compared as Morango does it: character by character. Pure.

What decides about access compares word by word (:mod:`morango_collection_sync.partitions`). This is for what has to
come out as it does in Morango, in a time that grows with the number of partitions, and not with its square.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator


class Prefixes:
    """Some prefixes, to be found in any number of strings.

    :param prefixes: they may begin with each other
    """

    def __init__(self, prefixes: Iterable[str]) -> None:
        self._all = frozenset(prefixes)
        self._sorted = sorted(self._all)
        self.lengths = sorted({len(prefix) for prefix in self._all})
        """The lengths that there are: a few, however many prefixes there are."""

    def __iter__(self) -> Iterator[str]:
        return iter(self._sorted)

    def of(self, text: str) -> list[str]:
        """Those of them that a text begins with, the shortest first."""
        return [text[:length] for length in self.lengths if length <= len(text) and text[:length] in self._all]

    def begin(self, text: str) -> bool:
        """Whether a text begins with any of them."""
        return any(length <= len(text) and text[:length] in self._all for length in self.lengths)

    def reach_beyond(self, text: str) -> bool:
        """Whether any of them begins with a text, and is longer."""
        place = bisect_left(self._sorted, text)
        if place < len(self._sorted) and self._sorted[place] == text:
            place += 1
        return place < len(self._sorted) and self._sorted[place].startswith(text)

    def by_length(self) -> dict[int, list[str]]:
        """The prefixes of each length."""
        return {length: [each for each in self._sorted if len(each) == length] for length in self.lengths}

    def common(self) -> str:
        """What all of them begin with."""
        if not self._sorted:
            return ""
        first, last = self._sorted[0], self._sorted[-1]
        differing = (place for place, (one, other) in enumerate(zip(first, last)) if one != other)
        return first[: next(differing, len(first))]
