"""What the oracle keeps for one device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from course_assignment.simulation.versions import UNKNOWN, AssignmentKey, Key, Versions


@dataclass
class Replica:
    """What one device has heard.

    :param records: for each record, what may be here
    :param users: whom the device is for
    :param arrived: for which of them a pull was ever completed
    :param quarantine: by the id of each edit in quarantine: the record, its value, and which versions it may be
    :param set_aside: what there was, each time, of a record that went to quarantine last
    :param released: the collections that were ever let go of here
    :param tidy: whether a pull was completed, and nothing has been interrupted since
    :param missed: whether the last hub that it pulled from granted less than it knows itself entitled to
    :param waiting: records of which an interrupted sync may have left something that is not applied
    :param knowing: of a record that has come in place of what was here: what it is to this device, which knows both
    """

    is_hub: bool
    records: dict[Key, Versions] = field(default_factory=dict)
    users: list[str] = field(default_factory=list)
    arrived: set[str] = field(default_factory=set)
    quarantine: dict[str, tuple[AssignmentKey, Any, Versions]] = field(default_factory=dict)
    set_aside: dict[AssignmentKey, Versions] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    tidy: bool = False
    waiting: set[Key] = field(default_factory=set)
    knowing: dict[Key, Versions] = field(default_factory=dict)
    missed: bool = False

    def of(self, key: Key) -> Versions:
        """What may be here of a record."""
        return self.records.get(key, UNKNOWN)
