"""What a sync did, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from morango.models.core import TransferSession


@dataclass(frozen=True)
class PullOutcome:
    """What the end of a pull has led to.

    :param received: for each collection id, how many of its records came
    :param released: for each collection id that was released, how many records went
    :param to_fetch_again: partitions that have to be pulled once more, for the hub's version of what was quarantined
    :param quarantined: how many edits went to quarantine
    :param restored: how many edits came back from there
    :param waiting: how many there wait for a person
    :param undelivered: how many records could not be applied
    """

    received: dict[str, int] = field(default_factory=dict)
    released: dict[str, int] = field(default_factory=dict)
    to_fetch_again: list[str] = field(default_factory=list)
    quarantined: int = 0
    restored: int = 0
    waiting: int = 0
    undelivered: int = 0


@dataclass(frozen=True)
class TransferReport:
    """What one pull or push did.

    :param push: the direction
    :param records: how many records were transferred
    :param partitions: the session's filter as it was in the end
    :param transfer_session_id: 32 hex digits
    :param outcome: what the end of a pull has led to; nothing for a push
    """

    push: bool
    records: int
    partitions: tuple[str, ...]
    transfer_session_id: str
    outcome: PullOutcome = field(default_factory=PullOutcome)

    @classmethod
    def of(cls, transfer_session: TransferSession, outcome: PullOutcome) -> TransferReport:
        """What this device's side of a finished transfer session tells."""
        return cls(
            push=transfer_session.push,
            records=transfer_session.records_transferred,
            partitions=tuple(transfer_session.get_filter()),
            transfer_session_id=transfer_session.id,
            outcome=outcome,
        )


@dataclass
class SyncReport:
    """What one sync with one hub for one certificate did, and what it cost.

    :param transfers: the pull and the push, in the order in which they ran
    :param requests: HTTP requests that were answered
    :param bytes_received: headers and bodies of the answers, in bytes
    :param bytes_sent: headers and bodies of the requests, in bytes
    :param seconds: by the wall clock
    :param resumed: whether an interrupted session was taken up again and brought to its end
    :param same_session: whether it ran in the sync session that an earlier sync had left open, interrupted or not
    """

    transfers: list[TransferReport] = field(default_factory=list)
    requests: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    seconds: float = 0.0
    resumed: bool = False
    same_session: bool = False

    def records(self, *, push: bool) -> int:
        """How many records went in this direction."""
        return sum(transfer.records for transfer in self.transfers if transfer.push is push)
