"""Which names a user may have."""

from __future__ import annotations

import re

from course_assignment.facility.errors import BadUsername

LONGEST = 30

# Kolibri's rule (``FacilityUser.username``, 0.19): whatever is neither white space nor punctuation of ASCII, which
# lets in the vowel signs of Hindi or Tamil that Python's ``\w`` does not know as letters.
USERNAME = r"[^\s!-/:-@\[-^`{-~]{1,30}"

EXPECTED = f"1 to {LONGEST} letters, digits and underscores"


def require_username(name: str) -> None:
    """Check that a user may have this name at all.

    :raises BadUsername: when nobody may
    """
    if not re.fullmatch(USERNAME, name):
        raise BadUsername(name, EXPECTED)
