"""The embedded host's addresses with Morango's own views."""

from django.urls import include, path

from course_assignment.facility.api import FacilityView, UserView

urlpatterns = [
    path("", include("morango.urls")),
    path("api/facility/v1/facilities/", FacilityView.as_view()),
    path("api/facility/v1/user/", UserView.as_view()),
]
