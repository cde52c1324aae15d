"""Holding devices against the oracle, one promise after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from course_assignment.simulation.names import Names
from course_assignment.simulation.observed import Observed
from course_assignment.simulation.oracle import Oracle
from course_assignment.simulation.promises import BrokenPromise
from course_assignment.simulation.versions import Assigned, AssignmentKey, Key, TieKey
from morango_collection_sync.audit import AuditedKind, Finding


def check_device(
    oracle: Oracle, name: str, observed: Observed, dataset_id: str, before: Observed | None = None
) -> None:
    """Hold what a device has against what it must and may have.

    :param before: what it had when it was in order last
    :raises BrokenPromise: when that is not so
    """
    check_envelopes(name, observed)
    check_filters(name, observed, dataset_id)
    check_confinement(oracle, name, observed)
    check_records(oracle, name, observed, before)


def check_records(oracle: Oracle, name: str, observed: Observed, before: Observed | None) -> None:
    """P2 to P7, P10: each record is as the device has last heard of it."""
    collections = observed.collections()
    for key in sorted({*oracle.replica(name).records, *observed.rows}):
        possible = oracle.values(name, key, collections)
        shown = observed.rows.get(key)
        if shown not in possible:
            expected = " or ".join(sorted(map(str, possible)))
            was = before.rows.get(key) if before is not None else None
            promise = _broken_by(oracle, name, key, possible, shown, was)
            raise BrokenPromise(promise, name, f"{key} is {shown}; expected {expected}")


def check_confinement(oracle: Oracle, name: str, observed: Observed) -> None:
    """P1: after a completed pull, there is nothing of a collection that no user of the device may read."""
    replica = oracle.replica(name)
    if replica.is_hub or not replica.tidy:
        return
    readable = oracle.rights(name, replica.users, observed).readable
    held = {"shown": {key.collection for key in observed.rows if isinstance(key, AssignmentKey)}, **observed.partitions}
    for where, labels in held.items():
        for label in sorted(labels - readable):
            raise BrokenPromise("P1", name, f"something of {label} is {where}, which no user here may read")


def check_envelopes(name: str, observed: Observed) -> None:
    """P8: each stored assignment has the id and the partition that its content gives."""
    for record_id in observed.misplaced:
        raise BrokenPromise("P8", name, f"the content of {record_id} gives another id or partition")


def check_filters(name: str, observed: Observed, dataset_id: str) -> None:
    """P9: no filter reaches outside of the dataset."""
    for sync_filter in observed.filters.values():
        for partition in sync_filter.split():
            if partition != dataset_id and not partition.startswith(dataset_id + ":"):
                raise BrokenPromise("P9", name, f"a filter holds {partition!r}")


def check_audit(oracle: Oracle, name: str, observed: Observed, findings: Iterable[Finding], names: Names) -> None:
    """Nothing is amiss, but for records that wait for a collection which is not here, or for an interrupted sync."""
    collections, replica = observed.collections(), oracle.replica(name)
    hanging = {
        key.collection
        for key, versions in replica.records.items()
        if key.collection not in collections and any(version.value is not None for version in versions)
    }
    for finding in findings:
        if finding.kind is AuditedKind.UNDELIVERED and (hanging or replica.waiting):
            continue
        label = names.collections.get(finding.partition.rpartition(":")[2], finding.partition)
        raise BrokenPromise("audit", name, f"{finding.kind.value} of {label}: {finding.reason}")


def check_agreement(everything: Mapping[str, Observed], oracle: Oracle, hubs: list[str]) -> None:
    """P12: with nothing new in between, all hold the same, byte for byte, of what they may read."""
    first = everything[hubs[0]]
    for name, observed in sorted(everything.items()):
        if name in hubs:
            readable = set(oracle.class_of)
        else:
            readable = set(oracle.rights(name, oracle.replica(name).users, observed).readable)
        readable &= first.collections() & observed.collections()
        users = oracle.replica(name).users
        for key in sorted({*first.rows, *observed.rows}):
            if isinstance(key, TieKey) and name not in hubs and key.user not in users:
                continue
            if _is_lost_to_hubs(oracle, name, hubs, key):
                continue
            one, other = first.rows.get(key), observed.rows.get(key)
            if not isinstance(key, AssignmentKey) and one != other:
                raise BrokenPromise("P12", name, f"{key} is {other}; on {hubs[0]} it is {one}")
        for key in sorted({*first.stored, *observed.stored}):
            if key.collection not in readable or _is_lost_to_hubs(oracle, name, hubs, key):
                continue
            one, other = first.stored.get(key), observed.stored.get(key)
            if one != other:
                raise BrokenPromise("P12", name, f"{key} is {other}; on {hubs[0]} it is {one}")


def _is_lost_to_hubs(oracle: Oracle, name: str, hubs: list[str], key: Key) -> bool:
    """Whether a member device has what a hub had before it was put back, which may not be pushed from there."""
    if name in hubs or key not in oracle.put_back_on_a_hub:
        return False
    return oracle.replica(name).of(key) != oracle.replica(hubs[0]).of(key)


def _broken_by(oracle: Oracle, name: str, key: Key, possible: set[object], shown: object, was: object) -> str:
    """The promise that this breaks, as far as one record tells."""
    replica = oracle.replica(name)
    values = [value for value in possible if isinstance(value, Assigned)]
    if isinstance(shown, Assigned) and any(value._replace(by=shown.by) == shown for value in values):
        return "P10"
    if replica.is_hub:
        if shown is None and was is not None:
            return "P4"
        if isinstance(key, AssignmentKey):
            return "P3" if shown == was else "P7"
        return "P2"
    if any(oracle.pending(name, key, replica.of(key))):
        return "P3"
    if shown is None and key.collection in replica.released:
        return "P5"
    return "P6" if shown is None and replica.missed else "P2"
