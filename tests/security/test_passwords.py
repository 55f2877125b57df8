"""What a password must be: long and no common word; nothing else is asked of it."""

from __future__ import annotations

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError

from config import settings as project
from tests.factories import UserFactory

BAD = {
    "short": "elevenchars",
    "common": "qwerty123456",
    "common, in capitals": "QWERTY123456",
    "like the name": "wanda-writer",
    "like the address": "wanda.writer@office.example",
    "too long": "long word " * 13,
}
GOOD = ["twelve chars", "correct horse battery staple", "ключ от дверей", "🔑" * 12, "x y" * 42,
        "  leading and trailing  ", "518422700913"]  # fmt: skip


@pytest.fixture
def wanda():
    return User(username="wanda-writer", email="wanda.writer@office.example")


@pytest.mark.parametrize("password", BAD.values(), ids=BAD)
def test_a_password_is_refused_that_is(wanda, password):
    with pytest.raises(ValidationError):
        validate_password(password, wanda)


@pytest.mark.parametrize("password", GOOD)
def test_a_password_is_taken_whatever_it_is_made_of(wanda, password):
    validate_password(password, wanda)


@pytest.mark.django_db
def test_the_page_refuses_what_the_rules_refuse_and_asks_for_the_old_one(client):
    ada = UserFactory(username="ada", is_superuser=True)
    client.force_login(ada)
    right, new = "correct horse battery staple", "a longer and better word"

    for old, word in ((right, "elevenchars"), ("wrong", new)):
        sent = {"old_password": old, "new_password1": word, "new_password2": word}
        assert client.post("/admin/password_change/", sent).status_code == 200
        ada.refresh_from_db()
        assert ada.check_password(right)
    page = client.get("/admin/password_change/").content.decode()
    assert "12 characters" in page
    assert 'autocomplete="new-password"' in page
    assert "maxlength" not in page.split('name="new_password1"')[1].split(">")[0]


@pytest.mark.django_db
def test_nothing_of_a_password_is_cut_off():
    ada = UserFactory(username="ada", password=None)
    ada.set_password("🔑" * 127 + "x")

    assert ada.check_password("🔑" * 127 + "x")
    assert not ada.check_password("🔑" * 127 + "y")


def test_production_keeps_passwords_as_django_does_by_default():
    """So the next test speaks of production."""
    assert "PASSWORD_HASHERS" not in vars(project)


def test_passwords_are_kept_as_slow_salted_hashes(settings):
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # those of the tests are fast
    kept = [make_password("correct horse battery staple") for _ in range(2)]

    assert identify_hasher(kept[0]).algorithm == "pbkdf2_sha256"
    assert int(kept[0].split("$")[1]) >= 600_000
    assert kept[0] != kept[1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("password", "why"),
    [("elevenchars", "too short"), ("wanda-writer", "too similar to the username"),
     ("qwerty123456", "too common")],
)  # fmt: skip
def test_a_superuser_without_a_person_who_is_asked_gets_no_weak_password(
    monkeypatch, password, why
):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "wanda-writer")

    with pytest.raises(CommandError, match=f"^DJANGO_SUPERUSER_PASSWORD: .*{why}"):
        call_command("createsuperuser", "--noinput", email="wanda@office.example")

    assert not User.objects.filter(is_superuser=True).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["correct horse battery staple", None])
def test_a_superuser_is_made_with_a_good_password_or_with_none(monkeypatch, password):
    if password:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)

    call_command("createsuperuser", "--noinput", username="boss", email="", verbosity=0)

    boss = User.objects.get(username="boss", is_superuser=True)
    assert boss.has_usable_password() is bool(password)
    assert password is None or boss.check_password(password)
