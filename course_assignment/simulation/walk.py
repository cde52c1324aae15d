"""Histories: drawn from a seed, run again, and shrunk."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from course_assignment.simulation.actions import RULES, Action, Rule, run
from course_assignment.simulation.promises import BrokenPromise
from course_assignment.simulation.school import Knobs, School
from morango_collection_sync.simulation.databases import Databases


def draw(chance: random.Random, *, faults: bool) -> Action:
    """Something to do next."""
    rules = [rule for rule in RULES.values() if faults or not rule.faulty]
    chosen = chance.choices(rules, [rule.weight for rule in rules])[0]
    return _drawn(chance, chosen)


def history(seed: int, steps: int, *, faults: bool) -> list[Action]:
    """What is done in a history of this seed, whose beginning gives people something to lose."""
    chance = random.Random(f"history {seed}")
    names = ("coach", "coach", "enrol", "enrol", "assign", "assign", "assign", "new_device", "new_device")
    beginning = [_drawn(chance, RULES[name]) for name in names]
    return [*beginning, *(draw(chance, faults=faults) for _ in range(steps - len(beginning)))]


def _drawn(chance: random.Random, rule: Rule) -> Action:
    return Action(rule.name, tuple(chance.randrange(1000) for _ in range(rule.numbers)))


def live(
    databases: Databases,
    knobs: Knobs,
    actions: Iterable[Action],
    told: Callable[[School, Action, bool], None] = lambda school, action, done: None,
) -> School:
    """Let a history happen, and hold it against the promises after every step.

    :param told: of each action, and whether there was something to do
    :return: the school, gone by then, for what it has counted
    :raises BrokenPromise: when a promise is broken
    """
    with School(databases, knobs) as school:
        for action in actions:
            done = run(school, action)
            told(school, action, done)
        school.settle()
        school.check()
    return school


def parsed(text: str) -> list[Action]:
    """A history from its lines.

    :raises KeyError: when a rule is unknown
    """
    words = [line.split() for line in text.splitlines() if line.strip()]
    return [Action(RULES[name].name, tuple(map(int, numbers))) for name, *numbers in words]


def shrunk(databases: Databases, knobs: Knobs, actions: Sequence[Action], promise: str, tries: int) -> list[Action]:
    """A shorter history that breaks the same promise.

    :param tries: how many shorter ones to let happen at most
    """

    def still_broken(shorter: Sequence[Action]) -> bool:
        try:
            live(databases, knobs, shorter)
        except BrokenPromise as broken:
            return broken.promise == promise
        return False

    return shrink(actions, still_broken, tries)


def shrink(
    actions: Sequence[Action], still_broken: Callable[[Sequence[Action]], bool], tries: int = 300
) -> list[Action]:
    """Take out of a history whatever is not needed for it to break a promise.

    :param still_broken: whether a history does
    :param tries: how often to ask that at most
    """
    kept = list(actions)
    size = max(1, len(kept) // 2)
    while size:
        start = 0
        while start < len(kept) and tries:
            shorter = kept[:start] + kept[start + size :]
            tries -= 1
            if still_broken(shorter):
                kept = shorter
            else:
                start += size
        size //= 2
    return kept
