"""Rules: everything that can be done in a school, by the names by which a history calls it.

A rule is a function that takes a school and a few numbers that it chooses by. A number chooses among what there is
when it is used, so that a history from which actions were taken out still runs. A rule that finds nothing to act on
does nothing, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from course_assignment.simulation.school import School

Act = Callable[..., bool]


@dataclass(frozen=True)
class Rule:
    """Something that can be done.

    :param name: by which a history calls it
    :param act: does it; False when there was nothing to do it to
    :param numbers: how many numbers it chooses by
    :param weight: how often it is drawn, against the others
    :param faulty: whether it is done only where a history has faults
    """

    name: str
    act: Act
    numbers: int
    weight: int
    faulty: bool = False


class Action(NamedTuple):
    """A rule, and the numbers that it chose by."""

    rule: str
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join([self.rule, *map(str, self.numbers)])


RULES: dict[str, Rule] = {}
"""Every rule by its name."""


def run(school: School, action: Action, *, checking: bool = True) -> bool:
    """Do it, and hold every device against the oracle; whether there was something to do.

    :raises BrokenPromise: when a promise is broken
    """
    done = RULES[action.rule].act(school, *action.numbers)
    if done and checking:
        school.check()
    return done


def rule(weight: int, *, faulty: bool = False) -> Callable[[Act], Act]:
    """Make a function a rule; its parameters behind the school are numbers."""

    def register(act: Act) -> Act:
        name = act.__name__
        RULES[name] = Rule(name, act, act.__code__.co_argcount - 1, weight, faulty)
        return act

    return register
