import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
GOOD = {
    "APP_ENV": "production",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "DATABASE_URL": "postgresql://cases@database.invalid/cases",
    "ALLOWED_HOSTS": "cases.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://cases.example.org",
}
OIDC = {"OIDC_AUDIENCE": "cases-api"}
OURS = {"DEBUG", "ACTOR_HEADERS", "DJANGO_SETTINGS_MODULE", *GOOD}
REFUSED = {
    "no database": ({"DATABASE_URL": ""}, "DATABASE_URL is not set."),
    "another database": ({"DATABASE_URL": "sqlite:///x.db"}, "not PostgreSQL"),
    "the demo's key": ({"SECRET_KEY": None}, "SECRET_KEY is not set: the demo's key is public."),
    "debugging": ({"DEBUG": "on"}, "DEBUG is on in production."),
    "header actors": ({"ACTOR_HEADERS": "on"}, "whoever calls could name any actor"),
    "misspelt header actors": ({"ACTOR_HEADERS": "yes"}, "whoever calls could name any actor"),
    "any host": ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS is empty or holds a wildcard."),
    "any host among others": ({"ALLOWED_HOSTS": "a.example,*"}, "ALLOWED_HOSTS is empty or"),
    "no host": ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS is empty or holds a wildcard."),
    "tokens for a word of days": ({"API_TOKEN_TTL_DAYS": "many"}, "API_TOKEN_TTL_DAYS is no whole"),
    "no rate": ({"API_RATE": "often"}, "API_RATE is 'often', which is no rate."),
    "an issuer without TLS": (OIDC | {"OIDC_ISSUER": "http://login.example.org"}, "without TLS"),
    "half a log-in": ({"OIDC_CLIENT_ID": "back-office"}, "only one is set."),
    "unknown environment": ({"APP_ENV": "prod"}, "it must be local, test or production"),
}
refused = pytest.mark.parametrize(("change", "sentence"), REFUSED.values(), ids=REFUSED)


def run(*command, change):
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    chosen = {name: value for name, value in (GOOD | change).items() if value is not None}
    return subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT,
        env=kept | chosen,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


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


@refused
def test_a_server_does_not_even_start_with_it(change, sentence):
    done = run("-c", "import config.wsgi", change=change)

    assert done.returncode != 0
    assert sentence in done.stderr


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
