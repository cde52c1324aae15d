"""The oracle: what each device has heard, by what was done and which syncs were completed, in plain Python.

It shares nothing with the policy or the operations. It keeps for each device what may be there of each record, which
is one version where all is known, and several where a sync has failed or two edits have met.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple, Union

from course_assignment.simulation.observed import Observed, Quarantined
from course_assignment.simulation.promises import BrokenPromise
from course_assignment.simulation.replica import Replica
from course_assignment.simulation.rights import Rights, rights_of, together
from course_assignment.simulation.versions import (
    UNKNOWN,
    AssignmentKey,
    CollectionKey,
    Key,
    TieKey,
    Version,
    Versions,
    all_met,
)

Session = tuple[str, str, Union[str, None]]
"""Who syncs, with which hub, for whom; None: for the whole facility."""

MOST_VERSIONS = 200
"""Of a record that may be more than this, the oracle has lost track."""


class Before(NamedTuple):
    """Two devices before they sync.

    :param client: what the one that asks had of each record
    :param hub: what the other one had
    :param same: the records of which both had one version
    """

    client: dict[Key, Versions]
    hub: dict[Key, Versions]
    same: set[Key]


class Oracle:
    """Told of everything that is done, it says what each device must and may hold."""

    def __init__(self) -> None:
        self.class_of: dict[str, str | None] = {}
        """For each group its class; None for a class."""
        self._replicas: dict[str, Replica] = {}
        self._number = 0
        self._meetings: dict[tuple[str, frozenset[int]], int] = {}
        self._edited_on: dict[int, str] = {}
        self._reached: dict[Key, set[int]] = {}
        self._lost: set[int] = set()
        self._queued: dict[Session, dict[Key, Versions]] = {}
        self._queued_to_push: dict[Session, dict[Key, Versions]] = {}
        self._deletions: set[int] = set()
        self.put_back_on_a_hub: set[Key] = set()
        """Records that a hub has lost versions of."""
        self._ever: dict[Key, set[Any]] = {}
        self.lost_track_of: set[Key] = set()
        """Records of which anything may be anywhere, until all have agreed again."""

    # Told of

    def add(self, name: str, *, is_hub: bool, is_stock: bool = False) -> None:
        """A device is there; one without the extension is never tidy."""
        self._replicas[name] = Replica(is_hub, tidy=is_hub and not is_stock)

    def edit(self, name: str, key: Key, value: Any) -> None:
        """Somebody has made a record what it is now on a device, or (None) deleted it."""
        self._number += 1
        self._edited_on[self._number] = name
        replica = self._replicas[name]
        if value is None:
            self._deletions.add(self._number)
        self._ever.setdefault(key, set()).add(value)
        made_here = value is None and any(self._is_made_here(name, version) for version in replica.of(key))
        replica.records[key] = frozenset(Version(value, version.before | {self._number}) for version in replica.of(key))
        if made_here:
            # Made and deleted between two syncs, a record has never been, and its deletion is nothing to tell.
            replica.records[key] |= UNKNOWN
        self._note_reached(name, [key])

    def joined(self, name: str, user: str) -> None:
        """A device is for this user, too."""
        self._replicas[name].users.append(user)

    def left(self, name: str, user: str, after: Observed) -> None:
        """A device is no longer for this user, and has released what is theirs alone."""
        replica = self._replicas[name]
        replica.users.remove(user)
        replica.arrived.discard(user)
        if self._may_release(name):
            self._release(name, after, granted=frozenset(), hub=None, sure=True)
            replica.tidy = not replica.waiting
            self._note_quarantine(name, after)

    def decided(self, name: str, edit: Quarantined, *, restored: bool) -> None:
        """A person has restored an edit from quarantine, or (not ``restored``) nothing has come of it."""
        self._replicas[name].quarantine.pop(edit.id, None)
        if restored:
            self.edit(name, edit.key, edit.value)

    def snapshot(self, name: str) -> Any:
        """What a backup of this device holds."""
        return deepcopy(self._replicas[name])

    def put_back(self, name: str, snapshot: Any) -> None:
        """A device is what it was when its backup was made; what was made there since, and reached nobody, is lost."""
        former, self._replicas[name] = self._replicas[name], snapshot
        if former.is_hub:
            self.put_back_on_a_hub |= {key for key in former.records if former.of(key) != snapshot.of(key)}
        kept = {number for versions in snapshot.records.values() for each in versions for number in each.before}
        for number, device in self._edited_on.items():
            if device == name and number not in kept:
                self._lost.add(number)
        for key, versions in snapshot.records.items():
            snapshot.records[key] = versions | self._saved_again(name, versions)

    def before(self, client: str, hub: str, observed: tuple[Observed, Observed]) -> Before:
        """What both sides of a sync have before it."""
        return Before(
            dict(self._replicas[client].records), dict(self._replicas[hub].records), _same_versions(*observed)
        )

    def agreed(self, everything: Mapping[str, Observed], hub: str) -> None:
        """All have synced with nothing new in between: who has the hub's version of a record has what the hub has."""
        there = self._replicas[hub].records
        for key in self.lost_track_of:
            there[key] = UNKNOWN
            self.edit(hub, key, everything[hub].rows.get(key))
        for name, observed in everything.items():
            for key in _same_versions(observed, everything[hub]) & {*there}:
                self._replicas[name].records[key] = there[key]
            for key in self.lost_track_of:
                if key not in _same_versions(observed, everything[hub]):
                    self._replicas[name].records[key] = frozenset([Version(observed.rows.get(key))])
        self.lost_track_of.clear()

    def synced(
        self,
        client: str,
        hub: str,
        user: str | None,
        granted: Rights | None,
        *,
        pull: bool,
        push: bool,
        sure: bool,
        stock: bool,
        forgetful: bool,
        writable: frozenset[str],
        before: Before,
        after: tuple[Observed, Observed],
    ) -> None:
        """A device has synced with a hub.

        :param user: for whom; None for the whole facility
        :param granted: what the hub granted; None for the whole facility
        :param sure: whether it was completed, with nothing left over from an earlier one
        :param stock: whether the device lacks the extension
        :param forgetful: whether one of both does. Plain Morango lowers its counters to those of a peer that has
            fewer, and then takes what it has for something that it has not (``update_fsics``, 0.8.15)
        :param writable: the collections that a user of the device might write in before it
        :param before: what both had before it
        :param after: what both have now
        """
        here, there = self._replicas[client], self._replicas[hub]
        taken: set[Key] = set()
        session = (client, hub, user)
        if not sure:
            before = before._replace(hub=_with_what_was_queued(self._queued, session, before.hub))
        if pull:
            scope = [key for key in before.hub if _is_pulled(key, user, granted) and key not in before.same]
            kept = {key: here.of(key) for key in scope}
            self._receive(client, scope, before.hub, sure=sure, complete=not forgetful)
            if not here.is_hub and not stock:
                taken = self._take_received(client, kept, before.hub, writable)
            if sure:
                here.waiting.clear()
            if not here.is_hub and not stock:
                taken -= self._after_pull(client, hub, str(user), granted, after[0], writable, sure=sure)
            self._settle(client, after[0], exactly=sure)
            # Where nothing has come after all, what was here is pushed by who may write by now.
            taken -= {key for key in taken if here.of(key) & kept[key]}
        if push:
            scope = [
                key
                for key, versions in here.records.items()
                if _is_pushed(key, granted)
                if key not in taken and (key not in before.same or versions != before.client.get(key))
            ]
            for key, known in list(here.knowing.items()):
                # The device tells what it knows, whether the record itself goes along or is there already. To the hub,
                # or to another hub that has not been told, the two versions are apart all the same.
                if _is_pushed(key, granted) and here.of(key) & known and here.of(key) != there.of(key):
                    self._lose_track_of(key)
            pushed = here.records
            if not sure:
                pushed = _with_what_was_queued(self._queued_to_push, session, _either(before.client, pushed))
            self._receive(hub, scope, pushed, sure=sure, complete=not forgetful)
            if sure:
                there.waiting.clear()
            self._settle(hub, after[1], exactly=sure)
        if sure:
            if pull:
                self._queued.pop(session, None)
            if push:
                self._queued_to_push.pop(session, None)
            self._know_same(here, there, after)
        else:
            here.tidy = here.is_hub and not here.waiting
        self._note_reached(hub, there.records)
        if here.is_hub:
            self._note_reached(client, here.records)

    # Asked

    def replica(self, name: str) -> Replica:
        """What a device has heard."""
        return self._replicas[name]

    def has_news(self, name: str, hub: str, granted: Rights, observed: tuple[Observed, Observed]) -> bool:
        """Whether a hub has versions that a device, for its users, is to have and has not."""
        here, there = self._replicas[name], self._replicas[hub]
        same = _same_versions(*observed)
        return bool(here.waiting) or any(
            key not in same and (key in self.lost_track_of or here.of(key) != versions)
            for key, versions in there.records.items()
            if any(_is_pulled(key, user, granted) for user in here.users)
        )

    def is_tidy(self, name: str) -> bool:
        """Whether nothing may be amiss on a device."""
        return self._replicas[name].tidy

    def rights(self, name: str, users: Iterable[str], observed: Observed) -> Rights:
        """What these users may read and write by what a device shows, which :meth:`expected` has been held against."""
        collections, memberships, roles = observed.collections(), observed.memberships(), observed.roles()
        return together([rights_of(user, collections, self.class_of, memberships, roles) for user in users])

    def values(self, name: str, key: Key, collections: set[str]) -> set[Any]:
        """What a device may show of a record; None: nothing.

        :param collections: those whose rows are there
        """
        if key in self.lost_track_of:
            return {None, *self._ever.get(key, ())}
        possible = {version.value for version in self._replicas[name].of(key)}
        if self._hangs_on_nothing(key, collections):
            return {None}
        if isinstance(key, TieKey) and self._has_come_back(name, key.collection):
            possible.add(None)
        return possible

    def pending(self, name: str, key: Key, versions: Versions) -> tuple[bool, bool]:
        """Whether a record surely, and whether it possibly, holds an edit made here that no hub has ever had."""
        if key in self.lost_track_of:
            return False, True
        sure = maybe = bool(versions)
        perhaps_with_a_hub = self._with_a_hub(key)
        surely = [bool(self._unreached(name, key, version) - perhaps_with_a_hub) for version in versions]
        possibly = [bool(self._unreached(name, key, version)) for version in versions]
        return sure and all(surely), maybe and any(possibly)

    def _with_a_hub(self, key: Key) -> set[int]:
        """The edits that may be with a hub by now: a push that was resumed may have carried them or not."""
        hubs = (replica for replica in self._replicas.values() if replica.is_hub)
        return {number for hub in hubs for version in hub.of(key) for number in version.before}

    def _unreached(self, name: str, key: Key, version: Version) -> set[int]:
        reached = self._reached.get(key, set())
        return {
            number
            for number in version.before
            if self._edited_on.get(number) == name and number not in reached and number not in self._lost
        }

    # How

    def _is_made_here(self, name: str, version: Version) -> bool:
        return all(self._edited_on.get(number) == name for number in version.before)

    def _saved_again(self, name: str, versions: Versions) -> Versions:
        """What a device that was put back may make of its own records: it saves again what it knows nobody to have.

        Whoever has them all the same, since an answer was lost, may have made something of them meanwhile.
        """
        self._number += 1
        own = [version for version in versions if any(self._edited_on.get(each) == name for each in version.before)]
        return frozenset(Version(version.value, version.before | {self._number}) for version in own)

    def _lose_track_of(self, key: Key) -> None:
        self.lost_track_of.add(key)
        for replica in self._replicas.values():
            if key in replica.records:
                replica.records[key] = UNKNOWN
            replica.knowing.pop(key, None)

    def _with_its_collection(self, name: str, key: Key, versions: Versions) -> Versions:
        """Morango deletes what arrives and refers to something that was deleted, and tells so."""
        if isinstance(key, CollectionKey):
            return versions
        above = self.class_of[key.collection]
        labels = [key.collection, *([above] if above else [])]
        replica = self._replicas[name]
        deleted = [each for label in labels for each in replica.of(CollectionKey(label)) if each.value is None]
        if not any(version.before for version in deleted):
            return versions
        meeting = self._meeting(name)
        gone = {
            Version(None, version.before | {meeting(version.before)})
            for version in versions
            if version.value is not None
        }
        return versions | gone

    def _hangs_on_nothing(self, key: Key, collections: set[str]) -> bool:
        if isinstance(key, CollectionKey):
            above = self.class_of[key.collection]
            return above is not None and above not in collections
        return key.collection not in collections

    def _has_come_back(self, name: str, collection: str) -> bool:
        """Whether a collection was deleted, and is there again, because somebody has changed it apart.

        Morango has dropped the rows that referred to it, and keeps the records for applied.
        """
        above = self.class_of[collection]
        versions = [
            version
            for label in (collection, *([above] if above else []))
            for version in self._replicas[name].of(CollectionKey(label))
        ]
        return any(version.before & self._deletions for version in versions)

    def _meeting(self, name: str) -> Any:
        def number(together: frozenset[int]) -> int:
            known = self._meetings.get((name, together))
            if known is None:
                self._number += 1
                known = self._meetings[name, together] = self._number
            return known

        return number

    def _receive(
        self, name: str, scope: Iterable[Key], theirs: dict[Key, Versions], *, sure: bool, complete: bool
    ) -> None:
        replica = self._replicas[name]
        for key in scope:
            mine, other = replica.of(key), theirs.get(key, UNKNOWN)
            if (mine == other and len(mine) == 1) or key in self.lost_track_of:
                continue
            if len(mine) * len(other) > MOST_VERSIONS:
                self._lose_track_of(key)
                continue
            merged = all_met(mine, other, self._meeting(name))
            if not sure and merged != mine:
                replica.waiting.add(key)
            if not sure or not complete:
                merged |= mine
            replica.records[key] = self._with_its_collection(name, key, merged)

    def _take_received(
        self, name: str, kept: dict[Key, Versions], theirs: dict[Key, Versions], writable: frozenset[str]
    ) -> set[Key]:
        """Where nobody here may write, what has come stands: to merge it would make a version that goes nowhere.

        :return: the records of which that is so: what they were here before, nobody hears from here
        """
        replica, taken = self._replicas[name], set()
        for key, mine in kept.items():
            if key in self.lost_track_of or (isinstance(key, AssignmentKey) and key.collection in writable):
                continue
            surely, possibly = self.pending(name, key, mine)
            pairs = [(one, other) for one in mine for other in theirs.get(key, UNKNOWN) if _are_apart(one, other)]
            # What was here is known to be overtaken, and does not come again from one who still has it. To one who
            # gets what is here instead, the two are apart all the same.
            knowing = {Version(other.value, one.before | other.before) for one, other in pairs}
            apart = knowing | {other for _, other in pairs}
            if apart and not surely:
                merged = {
                    version
                    for version in replica.records[key]
                    if possibly or version in mine or not _is_meeting_of(version, apart)
                }
                replica.records[key] = frozenset(merged | apart)
                replica.knowing[key] = replica.knowing.get(key, frozenset()) | knowing
                taken.add(key)
        return taken

    def _may_release(self, name: str) -> bool:
        replica = self._replicas[name]
        return set(replica.users) <= replica.arrived

    def _after_pull(
        self,
        name: str,
        hub: str,
        user: str,
        granted: Rights | None,
        after: Observed,
        writable: frozenset[str],
        *,
        sure: bool,
    ) -> set[Key]:
        """:return: the records of which an edit is in its place again, and is pushed"""
        replica = self._replicas[name]
        if sure:
            replica.arrived.add(user)
            readable = self.rights(name, [user], after).readable
            replica.missed = granted is not None and not readable <= granted.readable
        if not sure or self._may_release(name):
            readable = granted.readable if granted else frozenset()
            self._release(name, after, granted=readable, hub=hub, sure=sure)
            self._fetch_merged_again(name, after, self._replicas[hub].records, writable, readable)
        if sure:
            replica.tidy = self._may_release(name)
        restored = self._offered_back(name, after)
        self._note_quarantine(name, after)
        return restored

    def _release(self, name: str, after: Observed, *, granted: frozenset[str], hub: str | None, sure: bool) -> None:
        replica = self._replicas[name]
        rights = self.rights(name, replica.users, after)
        fetched_again = set()
        for key, versions in list(replica.records.items()):
            if not isinstance(key, AssignmentKey) or key.collection in rights.writable:
                continue
            certain, possible = self.pending(name, key, versions)
            unreadable = key.collection not in rights.readable
            if not unreadable and hub is not None and key.collection not in granted and sure:
                # What nobody may push stays until a hub has something to bring in its place.
                continue
            if unreadable and sure:
                replica.set_aside[key] = versions
                if certain:
                    self._must_be_set_aside(name, key, versions, after)
                del replica.records[key]
                replica.released.add(key.collection)
            elif unreadable or possible:
                replica.set_aside[key] = versions
                if not unreadable:
                    fetched_again.add(key.collection)
                    if certain and sure:
                        self._must_be_set_aside(name, key, versions, after)
                if not sure:
                    replica.records[key] = versions | UNKNOWN
        there = self._replicas[hub].records if hub else {}
        for key in list(replica.records):
            if isinstance(key, AssignmentKey) and key.collection in fetched_again:
                versions = replica.records[key]
                certain, _ = self.pending(name, key, versions)
                hubs = there.get(key, UNKNOWN) if key.collection in granted else UNKNOWN
                replica.records[key] = hubs if certain and sure else versions | hubs | UNKNOWN

    def _fetch_merged_again(
        self, name: str, after: Observed, theirs: dict[Key, Versions], writable: frozenset[str], granted: frozenset[str]
    ) -> None:
        """Where users might write until now, the device may have merged; what it merged goes, and the hub's comes."""
        replica = self._replicas[name]
        rights = self.rights(name, replica.users, after)
        lost = (writable - rights.writable) & rights.readable & granted
        for key, versions in replica.records.items():
            if isinstance(key, AssignmentKey) and key.collection in lost:
                replica.records[key] = versions | theirs.get(key, UNKNOWN)

    def _must_be_set_aside(self, name: str, key: AssignmentKey, versions: Versions, after: Observed) -> None:
        values = {version.value for version in versions}
        if None in values and all(self._is_all_own(name, key, version) for version in versions):
            return
        if not any(edit.key == key and edit.value in values for edit in after.quarantine):
            raise BrokenPromise("P3", name, f"an edit of {key} is neither in quarantine nor with a hub")

    def _is_all_own(self, name: str, key: Key, version: Version) -> bool:
        """Whether a record was made here, and no hub has heard of it."""
        return self._unreached(name, key, version) == {number for number in version.before if number in self._edited_on}

    def _note_quarantine(self, name: str, after: Observed) -> None:
        replica = self._replicas[name]
        for edit in after.quarantine:
            if edit.id not in replica.quarantine:
                versions = replica.set_aside.get(edit.key, UNKNOWN)
                replica.quarantine[edit.id] = (edit.key, edit.value, versions)

    def _offered_back(self, name: str, after: Observed) -> set[Key]:
        """What has left quarantine is with a hub, or in its place again.

        :return: the records of which an edit is in its place again
        """
        replica, restored = self._replicas[name], set()
        here = {edit.id for edit in after.quarantine}
        for edit_id in [each for each in replica.quarantine if each not in here]:
            key, value, versions = replica.quarantine.pop(edit_id)
            possible = replica.of(key)
            if after.rows.get(key) == value:
                self._number += 1
                self._edited_on[self._number] = name
                replica.records[key] = possible | {Version(value, each.before | {self._number}) for each in possible}
                restored.add(key)
            elif self.pending(name, key, versions)[0]:
                raise BrokenPromise("P3", name, f"the edit {value} of {key} left quarantine, and is nowhere")
        return restored

    def _settle(self, name: str, after: Observed, *, exactly: bool) -> None:
        """Of what may be here, keep what shows, where everything that is here shows.

        What does not fit is left: it is :meth:`expected` that says so.
        """
        replica = self._replicas[name]
        if not exactly:
            self._narrow(replica, after)
            return
        collections = after.collections()
        for key, versions in replica.records.items():
            if key in replica.waiting or len(versions) == 1 or self._hangs_on_nothing(key, collections):
                continue
            shown = after.rows.get(key)
            left = frozenset(version for version in versions if version.value == shown)
            if left:
                replica.records[key] = left

    def _narrow(self, replica: Replica, after: Observed) -> None:
        """Of what an interrupted sync may have left of assignments, keep what is there, shown or stored."""
        for key, versions in replica.records.items():
            if isinstance(key, AssignmentKey) and len(versions) > 1:
                there = {after.rows.get(key), after.values.get(key)}
                left = frozenset(version for version in versions if version.value in there)
                if left:
                    replica.records[key] = left

    def _know_same(self, here: Replica, there: Replica, after: tuple[Observed, Observed]) -> None:
        for key in _same_versions(*after) & {*here.records} & {*there.records}:
            common = here.records[key] & there.records[key]
            if common:
                there.records[key] = common
                here.records[key] = common | (here.records[key] & here.knowing.get(key, frozenset()))

    def _note_reached(self, name: str, keys: Iterable[Key]) -> None:
        replica = self._replicas[name]
        if not replica.is_hub:
            return
        for key in keys:
            versions = list(replica.of(key))
            surely = frozenset.intersection(*(version.before for version in versions))
            self._reached.setdefault(key, set()).update(surely)


def _same_versions(one: Observed, other: Observed) -> set[Key]:
    return {key for key, stamp in one.stamps.items() if other.stamps.get(key) == stamp}


def _is_pulled(key: Key, user: str | None, granted: Rights | None) -> bool:
    if granted is None or user is None or isinstance(key, CollectionKey):
        return True
    if isinstance(key, AssignmentKey):
        return key.collection in granted.readable
    return key.user == user


def _is_pushed(key: Key, granted: Rights | None) -> bool:
    return granted is None or (isinstance(key, AssignmentKey) and key.collection in granted.writable)


def _are_apart(one: Version, other: Version) -> bool:
    return not (one.before >= other.before or other.before > one.before)


def _is_meeting_of(version: Version, parts: Iterable[Version]) -> bool:
    return any(part.before < version.before for part in parts)


def _either(one: dict[Key, Versions], other: dict[Key, Versions]) -> dict[Key, Versions]:
    return {key: one.get(key, UNKNOWN) | other.get(key, UNKNOWN) for key in {*one, *other}}


def _with_what_was_queued(
    queued: dict[Session, dict[Key, Versions]], session: Session, theirs: dict[Key, Versions]
) -> dict[Key, Versions]:
    """What a side may give now: what it has, and what it had in the syncs since the last whole one.

    A session that is taken up again goes on with the records as that side had them when it queued them (P2).
    """
    earlier = queued.get(session, {})
    queued[session] = {key: versions | earlier.get(key, frozenset()) for key, versions in theirs.items()}
    return queued[session]
