"""The views of this package at Morango's addresses. Include this before ``morango.urls``."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from morango_collection_sync.api import BufferViewSet, TransferSessionViewSet
from morango_collection_sync.api_handshake import (
    CertificateChainViewSet,
    CertificateViewSet,
    NonceViewSet,
    SyncSessionViewSet,
)

router = SimpleRouter()
router.register("certificates", CertificateViewSet, basename="certificates")
router.register("certificatechain", CertificateChainViewSet, basename="certificatechain")
router.register("nonces", NonceViewSet, basename="nonces")
router.register("syncsessions", SyncSessionViewSet, basename="syncsessions")
router.register("transfersessions", TransferSessionViewSet, basename="transfersessions")
router.register("buffers", BufferViewSet, basename="buffers")

urlpatterns = [path("api/morango/v1/", include(router.urls))]
