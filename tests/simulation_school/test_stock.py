"""A device without the extension, and those that answer it."""

from __future__ import annotations

from django.conf import settings
from morango.registry import session_middleware

from course_assignment.simulation.stock import extended_morango, stock_morango


def running() -> tuple[list[list[str]], str, object]:
    """The operations of each stage, the addresses, and what is announced."""
    operations = [[type(operation).__module__ for operation in group] for group in session_middleware]
    return operations, settings.ROOT_URLCONF, settings.MORANGO_INSTANCE_INFO


def test_stock_device_has_nothing_of_the_extension() -> None:
    with stock_morango():
        operations, urls, announced = running()
    assert {module.partition(".")[0] for stage in operations for module in stage} == {"morango"}
    assert urls == "course_assignment.simulation.stock_urls"
    assert announced == {}


def test_device_that_answers_a_stock_one_has_the_extension() -> None:
    before = running()
    with stock_morango(), extended_morango():
        assert running() == before
    assert running() == before
