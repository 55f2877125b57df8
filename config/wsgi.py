"""The WSGI application that servers run."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.wsgi import get_wsgi_application

_django = get_wsgi_application()

from config.checks import check_callers, check_production, check_settings  # noqa: E402 (needs the settings)
from config.http.bodies import with_length  # noqa: E402 (as above)

# A server never runs manage.py, so nobody else would have looked.
if problems := check_settings() + check_production() + check_callers():
    sys.exit("\n".join(f"{problem.msg} {problem.hint}" for problem in problems))

application = with_length(_django)
