"""Every form that compares a password counts what is wrong, and locks as the others do."""

from __future__ import annotations

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Permission, User

from tests.factories import PASSWORD, UserFactory
from tests.security.second_factor import CODE, code_of, device_of, log_in, set_up

pytestmark = pytest.mark.django_db
OWN = "/admin/password_change/"
NEW = "a longer and better word"


def change(browser, old: str):
    return browser.post(OWN, {"old_password": old, "new_password1": NEW, "new_password2": NEW})


@pytest.fixture
def rob():
    return UserFactory(username="rob", roles=["reviewer"])


def test_an_old_password_is_not_guessed_by_who_holds_a_session(settings, client, rob):
    settings.AXES_FAILURE_LIMIT = 3
    log_in(client, "rob")

    answers = [change(client, f"guess {n}") for n in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Your old password was entered incorrectly" in answers[0].content.decode()
    assert change(client, PASSWORD).status_code == 429
    rob.refresh_from_db()
    assert rob.check_password(PASSWORD)


def test_the_right_old_password_changes_it(client, rob):
    log_in(client, "rob")
    change(client, "wrong once")

    assert change(client, PASSWORD).headers["Location"] == "/admin/password_change/done/"

    rob.refresh_from_db()
    assert rob.check_password(NEW)


def test_who_has_a_device_shows_a_code_before_the_password_is_changed(settings, client, rob):
    settings.ADMIN_MFA = "required"
    log_in(client, "rob")
    set_up(client, rob)
    assert client.get(OWN).status_code == 200
    session = client.session
    session["second_factor_at"] -= 901
    session.save()

    for answer in (client.get(OWN), change(client, PASSWORD)):
        assert answer.headers["Location"] == f"/admin/again/?next={OWN.replace('/', '%2F')}"
    client.post(f"{CODE}?next={OWN}", {"code": code_of(device_of(rob), ahead=1)})

    assert change(client, PASSWORD).status_code == 302


def test_a_name_that_is_too_long_for_any_account_costs_no_comparison(client, monkeypatch):
    monkeypatch.setattr("django.contrib.auth.hashers.PBKDF2PasswordHasher.encode", None)

    for length in (151, 256, 5_000):
        answer = client.post("/admin/login/", {"username": "x" * length, "password": "guess"})

        assert answer.status_code == 200
        assert "at most 150 characters" in answer.content.decode()


def test_of_a_wrong_log_in_nothing_is_kept_but_the_name(client, rob):
    form = {"username": "rob", "password": "wrong", "pasword": "correct horse"}
    client.post("/admin/login/?next=/admin/&token=secret", form)
    client.post("/admin/login/?token=secret", form)

    [kept] = AccessAttempt.objects.values()
    assert (kept["username"], kept["failures_since_start"]) == ("rob", 2)
    assert "correct horse" not in str(kept)
    assert "secret" not in str(kept)


def test_who_keeps_accounts_gives_no_rights_and_takes_no_superusers_account(client, rob):
    ada = UserFactory(username="ada", is_superuser=True)
    names = ("change_user", "view_user", "add_user", "view_group")
    rob.user_permissions.set(Permission.objects.filter(codename__in=names))
    log_in(client, "rob")
    own = f"/admin/auth/user/{rob.pk}/change/"
    sent = {"email": "rob@example.org", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    rights = {"groups": [1, 2, 3], "user_permissions": [1, 2, 3]}

    assert client.post(own, sent | rights).status_code == 302
    taken = client.post(
        f"/admin/auth/user/{ada.pk}/password/", {"password1": NEW, "password2": NEW}
    )
    changed = client.post(f"/admin/auth/user/{ada.pk}/change/", sent)

    after = User.objects.get(pk=rob.pk)
    assert (after.email, after.is_superuser) == ("rob@example.org", False)
    assert [group.name for group in after.groups.all()] == ["reviewer"]
    assert after.user_permissions.count() == len(names)
    assert (taken.status_code, changed.status_code) == (403, 403)
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_djangos_way_to_pages_outside_of_the_admin_is_none(client, rob):
    log_in(client, "rob")

    assert client.get("/admin/r/3/CASE-000314/").status_code == 404
