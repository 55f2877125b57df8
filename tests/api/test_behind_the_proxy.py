"""The service as production runs it, behind nginx as docs/deployment.md configures it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest

from tests.api.proxy import HOST, Proxy, insist_on_nginx, running_proxy
from tests.api.server import Server, copied_database, running_server

pytestmark = pytest.mark.django_db

CLAIMS = {"X-Actor-ID": "ada", "X-Actor-Roles": "admin", "Accept": "application/json"}
TOKEN = secrets.token_urlsafe(32)


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker) -> Iterator[Server]:
    insist_on_nginx()
    with django_db_blocker.unblock(), copied_database("proxied") as url:
        production = {
            "APP_ENV": "production",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "ALLOWED_HOSTS": f"{HOST},127.0.0.1",
            "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
            "TRUST_X_FORWARDED_PROTO": "on",
            "TRUSTED_PROXIES": "1",
            "METRICS_TOKEN": TOKEN,
            "API_RATE": "5/minute",
            # Where these headers count, it is the proxy that takes them away.
            "ACTOR_HEADERS": "unsafe-in-production",
            "DRAIN_SECONDS": "0",
        }
        with running_server(url, **production) as server:
            yield server


@pytest.fixture(scope="module")
def proxy(server, tmp_path_factory) -> Iterator[Proxy]:
    with running_proxy(tmp_path_factory.mktemp("nginx"), server.port) as proxy:
        yield proxy


@pytest.mark.parametrize("path", ["/v1/cases", "/cases/export.csv", "/audit-events/export.jsonl"])
def test_nobody_is_believed_by_headers_at_any_address(proxy, path) -> None:
    answer = proxy.ask("GET", path, CLAIMS, source="127.0.0.2")

    assert answer.status_code == 401
    assert answer.json()["error"] == "not_authenticated"


def test_without_tls_people_are_led_to_it_and_programs_are_refused(proxy) -> None:
    led = proxy.ask("GET", "/cases?status=DRAFT", {"Accept": "text/html"}, tls=False)
    refused = proxy.ask("GET", "/cases?status=DRAFT", tls=False)

    assert led.status_code == 301
    assert led.headers["Location"] == f"https://{HOST}/cases?status=DRAFT"
    assert (refused.status_code, refused.json()["error"]) == (403, "https_required")


def test_each_caller_is_counted_by_the_address_that_the_proxy_saw(proxy) -> None:
    def status(source: str, number: int) -> int:
        forged = {"X-Forwarded-For": f"192.0.2.{number}", "Accept": "application/json"}
        return proxy.ask("GET", "/cases", forged, source=source).status_code

    assert [status("127.0.0.3", number) for number in range(6)] == [401] * 5 + [429]
    assert status("127.0.0.4", 0) == 401


@pytest.mark.parametrize(("size", "refused_by"), [(2_000_000, "service"), (9_000_000, "nginx")])
def test_a_body_that_is_too_large_is_refused_and_the_caller_sees_it(proxy, size, refused_by):
    sent = {"Content-Type": "application/json", "Accept": "application/json"}

    answer = proxy.ask("POST", "/cases", sent, b"x" * size, source=f"127.0.1.{size % 7}")

    found = (answer.status_code, answer.headers["Content-Type"])
    assert found == {"service": (401, "application/json"), "nginx": (413, "text/html")}[refused_by]


def test_an_upload_of_a_register_may_be_larger(proxy) -> None:
    sent = {"Content-Type": "multipart/form-data; boundary=x"}

    answer = proxy.ask("POST", "/admin/cases/case/import/", sent, b"x" * 9_000_000)

    # The service refuses it, for it came without a form's token; with which page is not asked here,
    # since the files of its pages are collected for a production only.
    assert answer.status_code != 413
    assert answer.headers["X-Request-ID"]


def test_scrapes_are_answered_here_and_at_the_service_and_probes_at_the_service_only(
    proxy, server
) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}

    assert b"database_answers 1.0" in proxy.ask("GET", "/metrics", bearer).content
    assert proxy.ask("GET", "/metrics", bearer, source="127.0.0.5").status_code == 403
    assert server.get("/metrics", bearer)[0] == 200  # without TLS, and led nowhere
    assert proxy.ask("GET", "/health/ready").status_code == 403
    status, body = server.get("/health/ready", {"Host": HOST})
    assert (status, json.loads(body)) == (200, {"status": "ok"})
