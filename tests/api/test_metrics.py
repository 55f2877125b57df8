"""GET /metrics: what the database knows, for Prometheus, and who is answered."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from outbox.models import OutboxEvent
from outbox.relay import drain_batch
from tests.destinations import Recorder
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


def figures(text: str) -> dict[tuple[str, str], float]:
    # With the times of all that was asked by the tests before, it is a text of some megabytes.
    told = "".join(line for line in text.splitlines(keepends=True) if "_bucket{" not in line)
    return {
        (sample.name, sample.labels.get("destination", "")): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }


def test_it_tells_how_much_waits_for_whom_and_for_how_long(client: Client) -> None:
    bad, failing = CaseFactory(status="SUBMITTED").id, CaseFactory().id
    CaseFactory()
    drain_batch(Recorder(refusing=[bad], failing=[failing]), size=100)
    CaseFactory()
    OutboxEvent.objects.filter(case_id=failing).update(written_at="2020-01-01T00:00Z")

    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    told = figures(answer.content.decode())
    assert told["outbox_pending", "log"] == 3
    assert told["outbox_retrying", "log"] == 1
    assert told["outbox_dead", "log"] == 1
    assert told["outbox_oldest_pending_seconds", "log"] > 5 * 365 * 86_400


def test_an_empty_outbox_is_told_as_zeros(client: Client) -> None:
    told = figures(client.get("/metrics").content.decode())

    assert {told[name, "log"] for name in (
        "outbox_pending", "outbox_retrying", "outbox_dead", "outbox_oldest_pending_seconds",
    )} == {0}  # fmt: skip


def test_rows_of_a_destination_that_is_gone_are_told_too(client: Client) -> None:
    CaseFactory()
    OutboxEvent.objects.update(destination="pigeon")

    assert figures(client.get("/metrics").content.decode())["outbox_pending", "pigeon"] == 1


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer ", "secret-of-the-scraper"])
def test_with_a_token_set_nobody_else_is_answered(client: Client, settings, given) -> None:
    settings.METRICS_TOKEN = "secret-of-the-scraper"
    headers = {} if given is None else {"Authorization": given}

    answer = client.get("/metrics", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"] == "not_authenticated"
    assert answer["WWW-Authenticate"] == "Bearer"
    good = client.get("/metrics", headers={"Authorization": "Bearer secret-of-the-scraper"})
    assert good.status_code == 200


def test_it_is_only_read(client: Client) -> None:
    answer = client.post("/metrics")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"


def test_without_the_database_it_tells_what_was_counted_and_that_it_is_away(
    client: Client, monkeypatch
) -> None:
    def away() -> None:
        raise OperationalError("the server closed the connection")  # noqa: EM101, TRY003 (psycopg's)

    client.get("/health/live")
    monkeypatch.setattr("outbox.metrics.backlog", away)

    answer = client.get("/metrics")

    assert answer.status_code == 200
    told = figures(answer.content.decode())
    assert told["database_answers", ""] == 0
    assert told["http_request_duration_seconds_count", ""] > 0
    assert {name for name, _ in told if name.startswith(("outbox_", "cases_"))} == set()


def test_overdue_cases_are_counted_for_whoever_runs_the_service(client: Client) -> None:
    past = {"due_at": "2020-01-01T00:00:00Z"}
    CaseFactory(status="UNDER_REVIEW", **past)
    CaseFactory(status="UNDER_REVIEW", restricted=True, **past)
    CaseFactory(status="UNDER_REVIEW", paused=True, **past)
    CaseFactory(status="CLOSED", **past)
    CaseFactory(status="UNDER_REVIEW", due_at="2089-01-01T00:00:00Z")

    told = figures(client.get("/metrics").content.decode())

    assert told["cases_overdue", ""] == 2
    assert told["database_answers", ""] == 1
