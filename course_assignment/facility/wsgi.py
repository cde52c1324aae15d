"""The WSGI application of the embedded host, for any WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "course_assignment.facility.settings")

application = get_wsgi_application()
