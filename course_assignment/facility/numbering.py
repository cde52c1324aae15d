"""The numbers by which django-mptt knows a tree, for many new nodes at once.

A node's number on the left and its number on the right enclose those of all that is below it. New nodes become the
last children of their parents, in their order, as they do when django-mptt inserts one after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Node(NamedTuple):
    """A node's place in its tree.

    :param tree: the number of the tree
    :param left: smaller than all below it
    :param right: greater than all below it
    :param level: 0 for a root
    """

    tree: int
    left: int
    right: int
    level: int


class Gap(NamedTuple):
    """Room that is made in a tree.

    :param tree: the number of the tree
    :param at: the first number that moves, to the right
    :param width: how far it moves, and all that are greater
    """

    tree: int
    at: int
    width: int


class Numbering(NamedTuple):
    """Where new nodes go.

    :param new: the place of each new node
    :param gaps: what is made room for first, in the numbers of before; the greatest first in each tree
    """

    new: dict[str, Node]
    gaps: list[Gap]


def numbered(new: Iterable[tuple[str, str | None]], parents: Mapping[str, Node], free_tree: int) -> Numbering:
    """Where these new nodes go.

    :param new: each node and its parent, None for a root; a parent is one of these or of ``parents``
    :param parents: the nodes that are there already
    :param free_tree: the number of the first tree that is not there yet
    """
    below: dict[str | None, list[str]] = defaultdict(list)
    for key, parent in new:
        below[parent].append(key)
    width = _widths(below)
    found: dict[str, Node] = {}
    # Keys that go side by side, and where the first one goes; no deeper call, however deep a tree is.
    rows = [([root], Node(tree, 1, 0, 0)) for tree, root in enumerate(below[None], free_tree)]
    gaps: list[Gap] = []
    moved: dict[int, int] = defaultdict(int)
    for key, node in sorted(parents.items(), key=lambda each: each[1].right):
        rows.append((below[key], Node(node.tree, node.right + moved[node.tree], 0, node.level + 1)))
        room = sum(width[child] for child in below[key])
        if room:
            gaps.append(Gap(node.tree, node.right, room))
            moved[node.tree] += room
    while rows:
        keys, first = rows.pop()
        left = first.left
        for key in keys:
            found[key] = Node(first.tree, left, left + width[key] - 1, first.level)
            rows.append((below[key], Node(first.tree, left + 1, 0, first.level + 1)))
            left += width[key]
    return Numbering(found, gaps[::-1])


def _widths(below: Mapping[str | None, list[str]]) -> dict[str, int]:
    """How many numbers each new node takes with all that is below it: two for each node."""
    found: dict[str, int] = {}
    left = [key for children in below.values() for key in children]
    while left:
        key = left[-1]
        inner = [child for child in below.get(key, ()) if child not in found]
        if inner:
            left += inner
        else:
            found[left.pop()] = 2 + sum(found[child] for child in below.get(key, ()))
    return found
