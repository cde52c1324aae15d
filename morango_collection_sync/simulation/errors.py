"""What ends a simulated process."""

from __future__ import annotations


class ProcessKilled(BaseException):
    """The process of a device was killed. No ``except Exception`` of what ran there sees it.

    Catch it outside of ``with device:``, where the process was; the next ``with device:`` is the process started
    again, on what its database had committed.
    """
