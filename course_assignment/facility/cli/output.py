"""Printing, as every host does it."""

from __future__ import annotations

from course_assignment.output import print_json, print_table
from course_assignment.progress import TransferProgress

__all__ = ["TransferProgress", "print_json", "print_table"]
