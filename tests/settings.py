"""The project's settings for a test session.

pytest-django reads the settings before any conftest.py, so the choice of the database stands here:
the embedded server for tests, unless DATABASE_URL names another one. Nothing is started yet; the
fixture in tests/database.py does that once a test needs the database.
"""

import os

from config import embedded_postgres

os.environ.setdefault("APP_ENV", "test")
if not os.environ.get("DATABASE_URL"):
    os.environ["DATABASE_URL"] = embedded_postgres.database_url("test")

from config.settings import *  # noqa: F403 (they read the variables above)

# Fast and worthless: the accounts of a test guard nothing.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Each client of a test makes the middleware anew; it need not read all static files for that.
WHITENOISE_AUTOREFRESH = True
