"""The REST addresses of the plugin, below ``/course_assignment/api/``."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from course_assignment.kolibri.viewsets import CourseAssignmentViewset

router = SimpleRouter()
router.register("courseassignment", CourseAssignmentViewset, basename="courseassignment")

urlpatterns = router.urls
