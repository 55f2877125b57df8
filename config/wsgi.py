"""The WSGI application that servers run."""

import os
import sys
from typing import NoReturn

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from django.core.wsgi import get_wsgi_application

from config.postgresql import sessions
from config.variables import WrongSettings

sessions.process = sessions.WEB


def _refuse(sentences: str) -> NoReturn:
    """End with the code on which gunicorn ends too, instead of starting worker after worker."""
    sys.stderr.write(f"{sentences}\n")
    sys.exit(4)


try:
    django.setup()
except WrongSettings as error:
    _refuse(str(error))

from config.checks import (  # noqa: E402 (needs the settings)
    check_callers,
    check_settings,
    check_traces,
    traces_wanted,
)
from config.http.bodies import with_length  # noqa: E402 (as above)
from config.http.media_types import in_utf_8  # noqa: E402 (as above)
from config.production import check_production  # noqa: E402 (as above)
from outbox.checks import check_outbox  # noqa: E402 (as above)

# A server never runs manage.py, so nobody else would have looked.
if problems := [
    *check_settings(),
    *check_production(),
    *check_callers(),
    *check_outbox(),
    *check_traces(),
]:
    _refuse("\n".join(f"{problem.msg} {problem.hint}" for problem in problems))

if traces_wanted():
    from config.traces import trace_requests

    trace_requests()

application = in_utf_8(with_length(get_wsgi_application()))
