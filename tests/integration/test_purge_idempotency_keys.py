"""manage.py purge_idempotency_keys: old answers are forgotten, young ones are not."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from cases.management.commands import purge_idempotency_keys
from cases.models import Case, IdempotencyKey
from tests.cast import WRITER

pytestmark = pytest.mark.django_db


def keep(key: str, **age: float) -> None:
    IdempotencyKey.objects.create(
        actor_id="wanda", key=key, fingerprint=b"x" * 32, status=200, body="{}", headers={},
        created_at=now() - timedelta(**age),
    )  # fmt: skip


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("purge_idempotency_keys", *arguments, stdout=out)
    return out.getvalue()


def left() -> set[str]:
    return set(IdempotencyKey.objects.values_list("key", flat=True))


def test_what_is_older_than_a_week_goes() -> None:
    keep("old", days=7, minutes=1)
    keep("young", days=6, hours=23)

    assert run().startswith("1 keys from before ")
    assert left() == {"young"}


@pytest.mark.parametrize(
    ("age", "remaining"),
    [("30m", set()), ("2h", {"hour"}), ("2d", {"hour", "day"}), ("1w", {"hour", "day"})],
)
def test_the_age_is_written_as_operators_write_it(age, remaining) -> None:
    keep("hour", hours=1)
    keep("day", days=1)

    run("--older-than", age)

    assert left() == remaining


@pytest.mark.parametrize("age", ["", "7", "d", "-1d", "1.5h", "7 days", "9999999d"])
def test_another_age_is_refused_and_nothing_goes(age) -> None:
    keep("old", days=30)

    with pytest.raises(CommandError, match="no length of time"):
        run(f"--older-than={age}")

    assert left() == {"old"}


def test_a_dry_run_counts_and_deletes_nothing() -> None:
    keep("old", days=30)

    told = json.loads(run("--dry-run", "--json"))

    assert told["would_delete"] == 1
    assert left() == {"old"}


def test_it_goes_on_until_all_batches_are_done(monkeypatch) -> None:
    monkeypatch.setattr(purge_idempotency_keys, "_BATCH", 2)
    for n in range(5):
        keep(f"old-{n}", days=8, seconds=n)

    assert json.loads(run("--json"))["deleted"] == 5
    assert left() == set()


def test_afterwards_the_request_is_carried_out_again(as_actor: Any) -> None:
    def create() -> Any:
        return as_actor(WRITER).post("/cases", {"title": "Late"}, HTTP_IDEMPOTENCY_KEY="one")

    create()
    run("--older-than", "0s")
    answer = create()

    assert "Idempotent-Replayed" not in answer.headers
    assert Case.objects.count() == 2
