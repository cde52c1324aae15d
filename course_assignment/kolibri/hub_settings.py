"""Kolibri's settings with the addresses of sync extended, for ``DJANGO_SETTINGS_MODULE`` of a hub.

Kolibri lets no plugin come before Morango's addresses and leaves such things to another settings module
(``kolibri.plugins.utils.settings``, 0.19.5). With this one a hub tells a client why a session has ended, and checks
requests before Morango reads them. Without it the plugin works, as its page in the documentation says.
"""

from kolibri.deployment.default.settings.base import *  # noqa: F403 - all of them

ROOT_URLCONF = "course_assignment.kolibri.hub_urls"
