"""What is shown for a course that is not on this device: what it is, where it comes from, what will happen."""

from __future__ import annotations

from typing import Protocol


class _Course(Protocol):
    channel_id: str | None
    channel_version: int | None


def describe_missing(course: _Course, *, will_download: bool = False) -> str:
    """Say of a course that it is not here yet. Its title stands beside this.

    :param course: an assignment, which keeps what a device needs to show the course
    :param will_download: whether this host fetches assigned content by itself
    """
    origin = "of no known channel"
    if course.channel_id:
        version = f", version {course.channel_version}" if course.channel_version is not None else ""
        origin = f"from channel {course.channel_id}{version}"
    coming = "it is downloaded when a source is in reach" if will_download else "import its channel to open it"
    return f"{origin}; not on this device yet, {coming}"
