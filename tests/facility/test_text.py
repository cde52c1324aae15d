"""What people call things."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_assignment.facility.text import is_line, name_key


@pytest.mark.parametrize("text", ["", "Grade 4A", "कक्षा ४", "क\u094d\u200dष", "a\u00a0b", "😀"])
def test_text_of_any_language_fits_on_a_line(text: str) -> None:
    assert is_line(text)


@pytest.mark.parametrize("text", ["a\nb", "a\x00b", "\x1b[31m", "\ud800", "a\u2028b", "\t"])
def test_control_characters_ends_of_lines_and_half_characters_do_not(text: str) -> None:
    assert not is_line(text)


@settings(deadline=None)
@given(st.text())
def test_key_of_a_key_is_the_same(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@pytest.mark.parametrize(("one", "other"), [("É", "e\u0301"), ("STRASSE", "straße"), ("Å", "\u212b")])
def test_names_that_a_person_takes_for_one_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)
