"""The views of :mod:`morango_collection_sync.api` at Morango's addresses. Include this before ``morango.urls``."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from morango_collection_sync.api import BufferViewSet, TransferSessionViewSet

router = SimpleRouter()
router.register("transfersessions", TransferSessionViewSet, basename="transfersessions")
router.register("buffers", BufferViewSet, basename="buffers")

urlpatterns = [path("api/morango/v1/", include(router.urls))]
