"""Kolibri's addresses, with our views of sync ahead of Morango's."""

from django.urls import include, path
from kolibri.deployment.default.urls import path_prefix
from kolibri.deployment.default.urls import urlpatterns as of_kolibri

urlpatterns = [path(path_prefix, include("morango_collection_sync.urls")), *of_kolibri]
