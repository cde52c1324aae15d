"""Course assignments and collection-scoped sync in Kolibri, as a plugin: ``kolibri plugin enable`` takes this name.

The package is called ``kolibri`` after its host; ``import kolibri`` inside it is Kolibri itself.
"""

from importlib.metadata import version

# Kolibri looks here for the plugin's version, and migrates at its start when that has changed.
__version__ = version("morango-collection-sync")
