#!/usr/bin/env python
"""Run Django's commands for this project; starts the embedded PostgreSQL where one is used."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 (after the line above)

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
