"""What a process runs that prepares a home for a test."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from course_assignment.facility.home import Home


def call(home: str, function: str) -> None:
    """Be the home's device, and call ``module:name``."""
    device = Home(Path(home))
    device.activate()
    device.prepare()
    module, _, name = function.partition(":")
    getattr(import_module(module), name)()
