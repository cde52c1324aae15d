"""All rules: importing this is what makes them known."""

from __future__ import annotations

from course_assignment.simulation import assignment_rules, device_rules, episodes, roster_rules, sync_rules
from course_assignment.simulation.rules import RULES, Action, Rule, run

__all__ = [
    "RULES",
    "Action",
    "Rule",
    "assignment_rules",
    "device_rules",
    "episodes",
    "roster_rules",
    "run",
    "sync_rules",
]
