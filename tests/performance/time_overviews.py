"""Times start page, dashboard and reports on a scratch database that ``load_cases.py`` has filled.

    export DATABASE_URL=postgresql:///scratch
    APP_ENV=test LOG_LEVEL=ERROR .venv/bin/python -m tests.performance.time_overviews

In one process, without a web server: the median of five, in milliseconds, of what each role is
answered. It makes an account per role; nothing that matters may live there.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

import django


def median(work: Callable[[], object]) -> float:
    """Return how many milliseconds it takes, the first time left out."""
    work()
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def main() -> None:
    """Print a line for each page and role, and for each report."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from datetime import UTC, datetime  # noqa: PLC0415 (beside what needs Django)

    from django.contrib.auth.models import Group, User  # noqa: PLC0415 (after Django is up)
    from django.test import Client  # noqa: PLC0415 (likewise)

    from cases import reports, selectors  # noqa: PLC0415 (likewise)
    from tests.cast import AUDITOR  # noqa: PLC0415 (likewise)

    for role in ("case_writer", "reviewer", "supervisor", "auditor", "admin"):
        account, _ = User.objects.get_or_create(
            username=f"times-{role}", defaults={"is_staff": True}
        )
        account.groups.set(Group.objects.filter(name=role))
        browser = Client(headers={"host": "localhost"})
        browser.force_login(account)
        for address in ("/admin/", "/admin/dashboard/"):
            if browser.get(address).status_code == 200:
                took = median(lambda browser=browser, address=address: browser.get(address))
                sys.stdout.write(f"{address:20} {role:12} {took:6.0f}\n")
    at = datetime(2026, 11, 1, 12, tzinfo=UTC)  # when the loaded office ends
    for report in (
        selectors.summary, reports.coming_due, reports.sla_kept, reports.flow, reports.open_ages,
        reports.workloads,
    ):  # fmt: skip
        took = median(lambda report=report: report(AUDITOR, at=at))
        sys.stdout.write(f"{report.__name__:33} {took:6.0f}\n")


if __name__ == "__main__":
    main()
