"""API tokens in the back office: shown once, revoked for good, made for oneself."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from config import tokens
from config.models import ApiToken
from tests.factories import UserFactory
from tests.integration.pages import text

pytestmark = pytest.mark.django_db
ADD, LIST = "admin:config_apitoken_add", "admin:config_apitoken_changelist"
TOKEN = re.compile(r"rcm_[0-9a-f]{64}")


@pytest.fixture
def ada(client):
    """Log a superuser in."""
    client.force_login(UserFactory(username="ada", is_superuser=True))
    return client


def may_make_tokens(username: str, *roles: str) -> User:
    user = UserFactory(username=username, roles=list(roles))
    user.user_permissions.add(Permission.objects.get(codename="add_apitoken"))
    return user


def make(browser, account: User, **changes):
    wanted = {"name": "nightly intake", "days": 30, "owner": account.pk} | changes
    return browser.post(reverse(ADD), wanted)


def test_a_new_token_is_shown_exactly_once(ada):
    rob = UserFactory(username="rob", roles=["reviewer"])

    shown = make(ada, rob)

    (token,) = set(TOKEN.findall(text(shown)))
    assert tokens.open_with(token).id == rob.username
    assert "no-store" in shown.headers["Cache-Control"]
    for page in (reverse(LIST), reverse(ADD), "/admin/"):
        again = text(ada.get(page))
        assert not TOKEN.search(again)
        assert token[4:] not in again
    row = ApiToken.objects.get()
    assert (row.name, row.created_by, row.user) == ("nightly intake", "ada", rob)


def test_no_page_shows_what_is_stored_of_a_token(ada):
    make(ada, User.objects.get(username="ada"))
    row = ApiToken.objects.get()

    for page in (reverse(LIST), reverse("admin:config_apitoken_change", args=[row.pk])):
        shown = text(ada.get(page))
        assert "nightly intake" in shown
        assert row.digest not in shown
        assert row.token_key not in shown


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 101}, {"days": 0}, {"days": 91}, {"days": "x"}, {"owner": 0}],
)
def test_wrong_input_is_said_and_makes_nothing(ada, wrong):
    answer = make(ada, User.objects.get(username="ada"), **wrong)

    assert "errorlist" in text(answer)
    assert not ApiToken.objects.exists()


def test_who_may_makes_tokens_for_oneself_only(client):
    rob, ada = may_make_tokens("rob", "reviewer"), UserFactory(username="ada", is_superuser=True)
    client.force_login(rob)

    assert "Select a valid choice" in text(make(client, ada))
    assert not ApiToken.objects.exists()
    assert TOKEN.search(text(make(client, rob)))
    assert ApiToken.objects.get().user == rob


def test_who_may_not_makes_none_and_sees_none(log_in):
    browser = log_in("sue", "supervisor", "admin")
    sue = User.objects.get(username="sue")

    assert browser.get(reverse(ADD)).status_code == 403
    assert make(browser, sue).status_code == 403
    assert browser.get(reverse(LIST)).status_code == 403
    assert "API token" not in text(browser.get("/admin/"))
    assert not ApiToken.objects.exists()


def revoke(browser, *rows: ApiToken):
    chosen = {"action": "revoke", "_selected_action": [str(row.pk) for row in rows]}
    return browser.post(reverse(LIST), chosen, follow=True)


def test_a_superuser_revokes_any_token(ada):
    row, token = tokens.create_token(user=UserFactory(), name="x", days=1, by="ada")

    assert "1 revoked." in text(revoke(ada, row))

    with pytest.raises(tokens.TokenRefused, match="was revoked"):
        tokens.open_with(token)
    assert "revoked" in text(ada.get(reverse(LIST)))


def test_others_see_and_revoke_their_own_tokens_only(client):
    rob = may_make_tokens("rob")
    own, _ = tokens.create_token(user=rob, name="of rob", days=1, by="rob")
    other, _ = tokens.create_token(user=UserFactory(), name="of another", days=1, by="ada")
    client.force_login(rob)

    shown = text(client.get(reverse(LIST)))
    revoke(client, own, other)

    assert "of rob" in shown
    assert "of another" not in shown
    assert client.get(reverse("admin:config_apitoken_change", args=[other.pk])).status_code == 302
    assert {row.name: row.state for row in ApiToken.objects.all()} == {
        "of rob": "revoked",
        "of another": "active",
    }


def test_a_token_is_neither_edited_nor_deleted(ada):
    row, _ = tokens.create_token(user=UserFactory(), name="x", days=1, by="ada")
    page = reverse("admin:config_apitoken_change", args=[row.pk])

    assert ada.post(page, {"name": "y", "expiry_0": "2099-01-01"}).status_code == 403
    assert ada.post(reverse("admin:config_apitoken_delete", args=[row.pk])).status_code == 403
    assert 'value="delete_selected"' not in text(ada.get(reverse(LIST)))
    assert ApiToken.objects.get().name == "x"


def test_the_list_cannot_be_asked_for_digests(ada):
    row, _ = tokens.create_token(user=UserFactory(), name="x", days=1, by="ada")

    answer = ada.get(reverse(LIST), {"digest__startswith": row.digest[:1]})

    assert answer.status_code == 400
