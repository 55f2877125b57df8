import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import VARIABLES
from tests import starts
from tests.api.server import free_port

PROJECT = Path(__file__).resolve().parents[2]
GOOD = {
    "APP_ENV": "production",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "DATABASE_URL": "postgresql://cases@database.invalid/cases",
    "ALLOWED_HOSTS": "cases.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://cases.example.org",
}
OIDC = {"OIDC_AUDIENCE": "cases-api"}
OURS = {"DEBUG", "DJANGO_SETTINGS_MODULE", *VARIABLES.known}
REFUSED = {
    "no database": ({"DATABASE_URL": ""}, "DATABASE_URL is not set."),
    "another database": ({"DATABASE_URL": "sqlite:///x.db"}, "not PostgreSQL"),
    "nonsense for a database": ({"DATABASE_URL": "postgres//cases@db"}, "not PostgreSQL"),
    "another replica": ({"DATABASE_REPLICA_URL": "mysql://x/y"}, "DATABASE_REPLICA_URL names a"),
    "the demo's key": ({"SECRET_KEY": None}, "SECRET_KEY is not set: the demo's key is public."),
    "a short key": ({"SECRET_KEY": "s3cret" * 8}, "SECRET_KEY can be guessed"),
    "a key of one letter": ({"SECRET_KEY": "x" * 64}, "SECRET_KEY can be guessed"),
    "a short earlier key": ({"SECRET_KEY_FALLBACKS": "s3cret"}, "SECRET_KEY_FALLBACKS can be"),
    "debugging": ({"DEBUG": "on"}, "DEBUG is on in production: its pages show settings"),
    "header actors": ({"ACTOR_HEADERS": "on"}, "whoever calls could name any actor"),
    "misspelt header actors": ({"ACTOR_HEADERS": "yes"}, "it must be on, off or unsafe-in-prod"),
    "any host": ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS is empty or holds a wildcard."),
    "any host among others": ({"ALLOWED_HOSTS": "a.example,*"}, "ALLOWED_HOSTS is empty or"),
    "any host of a domain": ({"ALLOWED_HOSTS": ".example.org"}, "ALLOWED_HOSTS is empty or"),
    "no host": ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS is empty or holds a wildcard."),
    "an origin without TLS": (
        {"CSRF_TRUSTED_ORIGINS": "http://cases.example.org"}, "an origin without TLS"
    ),
    "any origin of a domain": ({"CSRF_TRUSTED_ORIGINS": "https://*.example.org"}, "a wildcard or"),
    "statements in the log": ({"SQL_ECHO": "on"}, "SQL_ECHO is on in production"),
    "a short token": ({"METRICS_TOKEN": "scrape"}, "METRICS_TOKEN can be guessed."),
    "tokens for a word of days": ({"API_TOKEN_TTL_DAYS": "many"}, "API_TOKEN_TTL_DAYS is 'many'"),
    "no rate": ({"API_RATE": "often"}, "API_RATE is 'often', which is no rate."),
    "an issuer without TLS": (OIDC | {"OIDC_ISSUER": "http://login.example.org"}, "without TLS"),
    "half a log-in": ({"OIDC_CLIENT_ID": "back-office"}, "only one is set."),
    "a destination nobody knows": ({"OUTBOX_DESTINATIONS": "pigeon"}, "'pigeon', which is no dest"),
    "a webhook without TLS": (
        {"OUTBOX_DESTINATIONS": "webhook", "OUTBOX_WEBHOOK_URL": "http://hooks.example.org"},
        "OUTBOX_WEBHOOK_URL is without TLS",
    ),
    "unknown environment": ({"APP_ENV": "prod"}, "it must be local, test or production"),
    "a file that is not there": ({"SECRET_KEY_FILE": "/nowhere/key"}, "SECRET_KEY_FILE names"),
}  # fmt: skip
refused = pytest.mark.parametrize(("change", "sentence"), REFUSED.values(), ids=REFUSED)


def environment_with(change):
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    return kept | {name: value for name, value in (GOOD | change).items() if value is not None}


def run(*command, change):
    """Run a command with good settings, but for a change."""
    return starts.run(*command, environment=environment_with(change))


def test_good_settings_leave_nothing_to_say():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", change={})

    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("kind", ["no database", "header actors"])
def test_a_check_says_what_production_must_not_run_with(kind):
    change, sentence = REFUSED[kind]

    done = run("manage.py", "check", change=change)

    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@refused
def test_a_server_does_not_even_start_with_it(change, sentence):
    done = run("-c", "import config.wsgi", change=change)

    assert done.returncode == 4
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_web_server_ends_instead_of_starting_one_worker_after_another():
    bind = f"127.0.0.1:{free_port()}"

    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--workers", "1", "--bind", bind],
        cwd=PROJECT,
        env=environment_with({"DEBUG": "on"}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 4
    assert "DEBUG is on in production" in done.stderr


def test_everything_that_is_wrong_is_said_at_once_and_no_secret_is_repeated():
    change = {
        "CONN_MAX_AGE": "long",
        "LOG_LEVEL": "LOUD",
        "PREPARED_STATEMENTS": "maybe",
        "DATABASE_URL": "postgrse://cases:hidden-word@database.invalid/cases",
    }

    done = run("manage.py", "check", change=change)

    assert done.returncode != 0
    assert done.stderr.splitlines() == [
        "CONN_MAX_AGE is 'long': it must be a whole number from 0 to 86400.",
        "PREPARED_STATEMENTS is 'maybe': it must be on or off.",
        "LOG_LEVEL is 'LOUD': it must be info, debug, warning, error or critical.",
    ]
    later = run("manage.py", "check", change={"DATABASE_URL": change["DATABASE_URL"]})
    assert "DATABASE_URL names a database that is not PostgreSQL." in later.stderr
    assert "hidden-word" not in later.stderr


def test_a_secret_comes_from_a_file(tmp_path):
    key = tmp_path / "key"
    key.write_text(f"{GOOD['SECRET_KEY']}\n")
    change = {"SECRET_KEY": None, "SECRET_KEY_FILE": str(key)}
    script = "from django.conf import settings; print(settings.SECRET_KEY)"

    assert run("manage.py", "check", change=change).returncode == 0
    done = run("-c", script, change=change | {"DJANGO_SETTINGS_MODULE": "config.settings"})
    assert done.stdout == f"{GOOD['SECRET_KEY']}\n"


def test_a_variable_with_a_name_that_is_nearly_right_is_not_passed_over():
    done = run("manage.py", "check", change={"OUTBOX_DESTINATION": "webhook"})

    assert "OUTBOX_DESTINATION is set, but nothing reads it." in done.stderr
    assert "Is it to be OUTBOX_DESTINATIONS?" in done.stderr


def test_who_must_have_header_actors_says_that_it_is_unsafe():
    change = {"ACTOR_HEADERS": "unsafe-in-production", "DJANGO_SETTINGS_MODULE": "config.settings"}
    script = "from django.conf import settings; print(settings.ACTOR_HEADERS)"

    done = run("-c", script, change=change)

    assert done.stdout == "True\n"
    assert run("manage.py", "check", change=change).returncode == 0


def test_production_believes_no_header_by_default():
    script = "from django.conf import settings; print(settings.ACTOR_HEADERS)"

    done = run("-c", script, change={"DJANGO_SETTINGS_MODULE": "config.settings"})

    assert done.stdout == "False\n"


HEADERS = """
import json
import django
django.setup()
from django.conf import settings
from django.test import Client
answer = Client(raise_request_exception=False).get(
    "/cases", secure=True, headers={"host": "cases.example.org", "accept": "application/json"})
plain = Client().get("/admin/", headers={"host": "cases.example.org"})
print(json.dumps({
    "status": answer.status_code, "headers": dict(answer.headers),
    "plain": [plain.status_code, plain.headers.get("Location")],
    **{name: getattr(settings, name) for name in settings_asked},
}))
"""


def test_production_speaks_tls_only_and_keeps_its_cookies_to_itself():
    asked = ["SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY",
             "SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH",
             "CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE", "CSRF_COOKIE_DOMAIN", "CSRF_COOKIE_PATH",
             "ADMIN_MFA"]  # fmt: skip
    script = HEADERS.replace("settings_asked", repr(asked))
    change = {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "critical"}

    done = run("-c", script, change=change)

    said = json.loads(done.stdout)
    assert {name: said[name] for name in asked} == {
        "SESSION_COOKIE_NAME": "__Host-session",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_PATH": "/",
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "CSRF_COOKIE_SECURE": True,
        "CSRF_COOKIE_DOMAIN": None,
        "CSRF_COOKIE_PATH": "/",
        "ADMIN_MFA": "required",
    }
    assert said["status"] == 401
    assert said["headers"]["Strict-Transport-Security"] == (
        "max-age=31536000; includeSubDomains; preload"
    )
    assert said["plain"] == [301, "https://cases.example.org/admin/"]
