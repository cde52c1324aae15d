"""What this Kolibri says of itself when it syncs: Kolibri's own, and that it understands collection grants."""

from kolibri.core.auth.constants.morango_sync import CUSTOM_INSTANCE_INFO

from morango_collection_sync.conf import INSTANCE_INFO_KEY, PROTOCOL_VERSION

INSTANCE_INFO = {**CUSTOM_INSTANCE_INFO, INSTANCE_INFO_KEY: PROTOCOL_VERSION}
"""For ``MORANGO_INSTANCE_INFO``, in which Kolibri names such a dict by its import path."""
