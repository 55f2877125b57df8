"""How often one actor may call."""

import threading
import time

import pytest
from limits.errors import ConfigurationError
from limits.storage import Storage

from config.http import throttling
from tests.api import expect
from tests.cast import AUDITOR, REVIEWER, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_a_minute(settings):
    settings.API_RATE = "3/minute"
    throttling.limiter.cache_clear()
    yield
    throttling.limiter.cache_clear()


def throttled(answer):
    expect.refusal(answer, 429, "rate_limited", set())
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_who_calls_too_often_is_told_when_to_come_back(as_actor):
    auditor = as_actor(AUDITOR)

    assert [auditor.get("/cases").status_code for _ in range(3)] == [200] * 3
    throttled(auditor.get("/cases"))
    throttled(auditor.get("/v1/cases"))


def test_others_are_not_kept_waiting(as_actor):
    for _ in range(5):
        last = as_actor(AUDITOR).get("/cases")

    throttled(last)
    assert as_actor(REVIEWER).get("/cases").status_code == 200


def test_what_was_throttled_has_not_happened(as_actor):
    case = CaseFactory()
    writer = as_actor(WRITER)
    for _ in range(3):
        writer.get("/cases")

    throttled(writer.post(f"/cases/{case.id}/submit"))

    expect.unchanged(case)


def test_the_window_opens_again(as_actor, settings):
    settings.API_RATE = "1/second"
    auditor = as_actor(AUDITOR)
    assert auditor.get("/cases").status_code == 200
    wait = int(auditor.get("/cases").headers["Retry-After"])

    time.sleep(wait)

    assert auditor.get("/cases").status_code == 200


def test_people_in_a_browser_are_told_too(as_actor):
    auditor = as_actor(AUDITOR)
    for _ in range(4):
        answer = auditor.get("/cases", HTTP_ACCEPT="text/html")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    assert "text/html" in answer.headers["Content-Type"]


def test_strangers_are_counted_by_their_address(stranger, as_actor):
    for _ in range(3):
        assert stranger.get("/cases").status_code == 401
    throttled(stranger.get("/cases"))
    throttled(stranger.get("/cases", HTTP_AUTHORIZATION="Bearer rcm_" + "0" * 64))

    assert stranger.get("/cases", REMOTE_ADDR="192.0.2.1").status_code == 401
    assert as_actor(AUDITOR).get("/cases").status_code == 200


def test_health_and_the_document_are_for_all_and_always(stranger):
    for path in ("/health/live", "/health/ready", "/openapi.json", "/docs"):
        for _ in range(5):
            assert stranger.get(path, HTTP_AUTHORIZATION="Bearer wrong").status_code == 200


def test_without_a_rate_nobody_is_counted(as_actor, settings):
    settings.API_RATE = ""

    assert {as_actor(AUDITOR).get("/cases").status_code for _ in range(10)} == {200}


class Broken(Storage):
    """A shared store that is away."""

    STORAGE_SCHEME = ["broken"]
    base_exceptions = (ConnectionError,)

    def incr(self, key, expiry, amount=1):
        raise ConnectionError(key)

    get = get_expiry = check = reset = clear = incr


def test_a_store_that_is_away_stops_nobody(as_actor, settings, caplog):
    settings.THROTTLE_STORAGE = "broken://"

    assert {as_actor(AUDITOR).get("/cases").status_code for _ in range(5)} == {200}
    assert "throttle_storage_away" in caplog.text


def test_an_unknown_store_is_no_store():
    with pytest.raises(ConfigurationError):
        throttling.limiter("unheard-of://")


def test_windows_that_have_ended_are_forgotten(monkeypatch):
    counters = throttling.CountersOfThisProcess()
    monkeypatch.setattr(throttling, "_SWEEP", 0.0)
    for number in range(100):
        counters.incr(f"stranger {number}", 0.001)
    time.sleep(0.01)

    assert (counters.incr("rob", 60), counters.incr("rob", 60)) == (1, 2)

    assert list(counters._windows) == ["rob"]


def test_counting_starts_no_threads(settings):
    """The library's own store in memory starts one for a request now and then: some 250 µs."""
    settings.API_RATE = "1000/minute"
    before = threading.active_count()

    for _ in range(5):
        time.sleep(0.02)
        throttling.seconds_to_wait("actor", "rob")
        assert threading.active_count() == before
