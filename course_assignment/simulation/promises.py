"""The promises, each by its name, and what breaks them."""

from __future__ import annotations

PROMISES = {
    "P1": "confinement",
    "P2": "completeness",
    "P3": "no lost edit",
    "P4": "no tombstone",
    "P5": "return",
    "P6": "stale peers",
    "P7": "write scope",
    "P8": "true envelope",
    "P9": "own dataset",
    "P10": "attribution",
    "P11": "faults",
    "P12": "agreement",
    "audit": "nothing amiss after a completed pull",
}
"""As the design numbers them, and one more."""


class BrokenPromise(AssertionError):
    """A promise is broken.

    :param promise: its number
    :param device: the name of the device where it shows
    :param what: what is as it should not be
    """

    def __init__(self, promise: str, device: str, what: str) -> None:
        self.promise = promise
        self.device = device
        self.what = what
        super().__init__(f"{promise} ({PROMISES[promise]}) is broken on {device or 'the network'}: {what}")
