"""Devices, a network and its faults in one process, for the tests of any host that syncs its models with Morango.

This package knows Morango and Django, and no host: its models, its certificates and what people do there are the
host's to bring. ``tests/conftest.py`` of this project shows how little that takes.
"""
