"""Before somebody makes API tokens or gives roles, the session proves once more whose it is."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from config.models import ApiToken, SealedDevice
from tests.factories import PASSWORD, UserFactory
from tests.security.second_factor import CODE, code_of, device_of, log_in, set_up, with_device

pytestmark = pytest.mark.django_db
AGAIN = "/admin/again/?next="
TOKENS = "/admin/config/apitoken/add/"
TOKEN = {"name": "nightly intake", "days": 1}


@pytest.fixture
def browser(client, ada):
    log_in(client, "ada")
    return client


def let_pass(browser: Client, seconds: int) -> None:
    session = browser.session
    for name in {"proven_at", "second_factor_at"} & session.keys():
        session[name] -= seconds
    session.save()


def test_pages_that_could_let_somebody_in_ask_and_others_do_not(browser, ada):
    rob, role = UserFactory(username="rob"), Group.objects.get(name="supervisor")
    device = with_device(rob)
    asking = [
        TOKENS,
        f"/admin/auth/user/{rob.pk}/change/",
        f"/admin/auth/user/{rob.pk}/password/",
        "/admin/auth/user/add/",
        f"/admin/auth/group/{role.pk}/change/",
        f"/admin/auth/group/{role.pk}/delete/",
        "/admin/auth/group/add/",
        f"/admin/otp_totp/totpdevice/{device.pk}/delete/",
    ]
    others = [
        "/admin/",
        "/admin/cases/case/",
        "/admin/auth/user/",
        "/admin/auth/group/",
        "/admin/config/apitoken/",
        "/admin/sessions/",
    ]
    assert {browser.get(address).status_code for address in asking} == {200}
    let_pass(browser, 901)

    for address in asking:
        for answer in (browser.get(address), browser.post(address, {"post": "yes"})):
            assert answer.headers["Location"] == f"{AGAIN}{address.replace('/', '%2F')}"
    chosen = {"action": "delete_selected", "_selected_action": [role.pk], "post": "yes"}
    answer = browser.post("/admin/auth/group/", chosen)
    assert answer.headers["Location"].startswith(AGAIN)

    assert {browser.get(address).status_code for address in others} == {200}
    assert Group.objects.filter(name="supervisor").exists()
    assert SealedDevice.objects.exists()
    assert not ApiToken.objects.exists()


def test_the_password_is_asked_of_who_has_no_device_and_holds_a_quarter_of_an_hour(browser, ada):
    let_pass(browser, 901)
    asked = browser.get(TOKENS, follow=True)
    assert "Type your password once more" in asked.content.decode()
    address = asked.redirect_chain[-1][0]

    wrong = browser.post(address, {"password": "wrong"})
    assert "This password is wrong." in wrong.content.decode()
    assert "wrong" not in str(wrong.context["form"]["password"])
    right = browser.post(address, {"password": PASSWORD})

    assert right.headers["Location"] == TOKENS
    assert browser.post(TOKENS, TOKEN | {"owner": ada.pk}).status_code == 200
    assert ApiToken.objects.count() == 1
    let_pass(browser, 901)
    assert browser.get(TOKENS).status_code == 302


def test_guessing_there_locks_as_at_the_log_in(settings, browser):
    settings.AXES_FAILURE_LIMIT = 3
    let_pass(browser, 901)

    answers = [browser.post(f"{AGAIN}{TOKENS}", {"password": "wrong"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert browser.post(f"{AGAIN}{TOKENS}", {"password": PASSWORD}).status_code == 429
    assert browser.get(TOKENS).status_code == 302


def test_a_code_is_asked_of_who_has_a_device_and_no_password_stands_for_it(settings, client, ada):
    settings.ADMIN_MFA = "required"
    log_in(client, "ada")
    set_up(client, ada)
    assert client.get(TOKENS).status_code == 200
    let_pass(client, 901)

    asked = client.get(TOKENS, follow=True)
    assert asked.redirect_chain[-1][0].startswith(f"{CODE}?next=")
    client.post(f"{AGAIN}{TOKENS}", {"password": PASSWORD})
    assert client.get(TOKENS).status_code == 302

    answer = client.post(asked.redirect_chain[-1][0], {"code": code_of(device_of(ada), ahead=1)})
    assert answer.headers["Location"] == TOKENS
    assert client.get(TOKENS).status_code == 200


def test_who_came_by_single_sign_on_goes_that_way_again(settings):
    backend = "config.oidc.login.SingleSignOnBackend"
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, backend]
    settings.ADMIN_MFA = "required"
    ida: User = UserFactory(username="ida", roles=["admin"], password=None)
    ida.set_unusable_password()
    ida.save()
    ida.user_permissions.add(Permission.objects.get(codename="add_apitoken"))
    browser = Client()
    browser.force_login(ida, backend)
    assert browser.get(TOKENS).status_code == 200
    let_pass(browser, 901)

    page = browser.get(TOKENS, follow=True).content.decode()

    assert "/admin/oidc/begin?next=%2Fadmin%2Fconfig%2Fapitoken%2Fadd%2F" in page
    assert 'type="password"' not in page


def test_who_may_only_look_at_accounts_is_not_asked(client):
    auditor = UserFactory(username="vera", roles=["auditor"])
    client.force_login(auditor)
    let_pass(client, 901)

    assert client.get("/admin/auth/user/add/").status_code == 403
    assert client.get("/admin/config/apitoken/add/").status_code == 403
    assert client.get("/admin/again/?next=https://evil.example/").status_code == 200
    assert (
        client.post("/admin/again/?next=https://evil.example/", {"password": PASSWORD}).headers[
            "Location"
        ]
        == "/admin/"
    )
