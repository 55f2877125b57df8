"""manage.py purge_imports: uploads that were left lying are forgotten, cases stay."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from cases.models import Case, RegisterPart, UploadedRegister
from tests.integration.uploads import bring_in, register

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("purge_imports", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def old(log_in) -> UploadedRegister:
    browser = log_in("wanda", "case_writer")
    bring_in(browser, register("R-1,Late,,", "R-2,,,"))
    UploadedRegister.objects.update(created_at=now() - timedelta(days=6, hours=23))
    return UploadedRegister.objects.get()


def test_what_is_older_than_said_goes_with_its_rows_and_the_cases_stay(old) -> None:
    assert run().startswith("0 uploads from before ")

    assert run("--older-than", "6d").startswith("1 uploads from before ")

    assert not UploadedRegister.objects.exists()
    assert not RegisterPart.objects.exists()
    assert Case.objects.count() == 1


def test_a_dry_run_only_counts(old) -> None:
    assert json.loads(run("--older-than", "1d", "--dry-run", "--json"))["would_delete"] == 1
    assert "1 uploads" in run("--older-than", "1d", "--dry-run")
    assert UploadedRegister.objects.exists()

    assert json.loads(run("--older-than", "1d", "--json"))["deleted"] == 1


def test_the_setting_says_how_old_unless_the_operator_does(old, settings) -> None:
    settings.IMPORT_KEEP_DAYS = 6

    assert run().startswith("1 uploads")
