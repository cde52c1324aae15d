"""What people call things: text that fits on one line, and when two names are the same."""

from __future__ import annotations

import unicodedata

# Control characters, halves of a character, ends of lines and paragraphs. What joins letters in Hindi or Persian
# (category Cf) is none of them.
_NOT_IN_A_LINE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def is_line(text: str) -> bool:
    """Whether a text can stand on one line, and in any database."""
    return not any(unicodedata.category(character) in _NOT_IN_A_LINE for character in text)


def name_key(name: str) -> str:
    """The same for two names that a person takes for one: whatever their case, and however their accents are coded.

    Databases do not agree about it: SQLite knows the case of ASCII alone.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
