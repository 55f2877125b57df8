"""The project's settings, with the linter of migrations: for `make check`, not for the service."""

from config.settings import *  # noqa: F403 (all of them)

INSTALLED_APPS += ["django_migration_linter"]  # noqa: F405 (as above)
