"""What a sync did, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from morango.models.core import TransferSession


@dataclass(frozen=True)
class TransferReport:
    """What one pull or push did.

    :param push: the direction
    :param records: how many records were transferred
    :param partitions: the session's filter as it was in the end
    :param transfer_session_id: 32 hex digits
    """

    push: bool
    records: int
    partitions: tuple[str, ...]
    transfer_session_id: str

    @classmethod
    def of(cls, transfer_session: TransferSession) -> TransferReport:
        """What this device's side of a finished transfer session tells."""
        return cls(
            push=transfer_session.push,
            records=transfer_session.records_transferred,
            partitions=tuple(transfer_session.get_filter()),
            transfer_session_id=transfer_session.id,
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
    """

    transfers: list[TransferReport] = field(default_factory=list)
    requests: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    seconds: float = 0.0
    resumed: bool = False

    def records(self, *, push: bool) -> int:
        """How many records went in this direction."""
        return sum(transfer.records for transfer in self.transfers if transfer.push is push)
