"""The log-in of the back office at an OpenID Connect issuer, driven as a browser drives it."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from cases import services
from config.models import LinkedIdentity
from tests.cast import SUPERVISOR
from tests.factories import CaseFactory, UserFactory
from tests.integration.pages import text
from tests.integration.single_sign_on import BEGIN, configured, issuer, log_in
from tests.issuer import CLIENT, running_provider, visit

__all__ = ["configured", "issuer"]  # the fixtures
pytestmark = pytest.mark.django_db
CALLBACK, HOME = "/admin/oidc/callback", "/admin/"
ASK_AGAIN = "Single sign-on did not work: try again, or ask an administrator."


def who(browser: Client) -> str:
    found = browser.session.get("_auth_user_id")
    return User.objects.get(pk=found).username if found else ""


def refused(browser: Client, answer) -> str:
    """Check that nobody is logged in, and return the log-in page that says why."""
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/login/")
    assert who(browser) == ""
    return text(browser.get("/admin/login/"))


def test_the_first_log_in_makes_a_linked_account_with_the_roles(client, issuer):
    issuer.person = {"sub": "rob", "roles": ["reviewer", "auditor", "unheard-of"]}

    answer = log_in(client)

    assert (answer.status_code, answer.headers["Location"]) == (302, HOME)
    user = User.objects.get(username="rob")
    assert set(user.groups.values_list("name", flat=True)) == {"reviewer", "auditor"}
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (True, False, False)
    assert (user.linked_identity.issuer, user.linked_identity.subject) == (issuer.url, "rob")
    assert "rob" in text(client.get(HOME))


def test_every_log_in_brings_the_roles_of_that_day(client, issuer):
    log_in(client)
    issuer.person["roles"] = ["auditor"]

    log_in(Client())

    user = User.objects.get(username="rob")
    assert [group.name for group in user.groups.all()] == ["auditor"]
    assert LinkedIdentity.objects.count() == 1


def test_roles_in_the_id_token_do_as_well(client, issuer):
    del issuer.document["userinfo_endpoint"]
    issuer.in_id_token = {"roles": ["supervisor"]}

    log_in(client)

    assert [g.name for g in User.objects.get(username="rob").groups.all()] == ["supervisor"]


def test_who_lost_all_roles_is_not_let_in_and_no_longer_staff(client, issuer):
    log_in(Client())
    issuer.person["roles"] = []

    page = refused(client, log_in(client))

    assert "You hold no role in this service and were granted no case" in page
    user = User.objects.get(username="rob")
    assert (user.is_staff, user.groups.count()) == (False, 0)


def test_who_was_granted_a_case_is_let_in_without_any_role(client, issuer):
    issuer.person = {"sub": "grace", "roles": []}
    refused(client, log_in(client))
    case = CaseFactory(restricted=True)
    given = {"user": "grace", "permission": "view_case", "actor": SUPERVISOR}
    services.grant_access(case_id=case.id, **given)

    log_in(client)

    assert client.get(f"/admin/cases/case/{case.id}/change/").status_code == 200
    services.revoke_access(case_id=case.id, **given)
    refused(Client(), log_in(Client()))
    assert not User.objects.get(username="grace").is_staff


def test_the_way_leads_to_the_page_that_was_wanted(client, issuer):
    page = text(client.get("/admin/login/?next=/admin/cases/case/"))
    assert 'href="/admin/oidc/begin?next=%2Fadmin%2Fcases%2Fcase%2F"' in page

    answer = log_in(client, f"{BEGIN}?next=/admin/cases/case/")

    assert answer.headers["Location"] == "/admin/cases/case/"
    assert client.get("/admin/cases/case/").status_code == 200


def test_the_way_leads_to_no_other_site(client, issuer):
    answer = log_in(client, f"{BEGIN}?next=https://elsewhere.example.org/")

    assert answer.headers["Location"] == HOME


def test_a_log_in_ends_after_some_hours(client, issuer, settings):
    settings.OIDC_SESSION_HOURS = 3

    log_in(client)

    assert 2.9 < (client.session["ends_at"] - time.time()) / 3600 <= 3


def test_who_logs_out_is_out(client, issuer):
    log_in(client)
    assert who(client) == "rob"

    client.post(reverse("admin:logout"))

    assert who(client) == ""
    assert client.get(HOME).status_code == 302


def test_the_flow_carries_state_nonce_and_a_hashed_verifier(client, issuer):
    asked = {
        name: values[0]
        for name, values in parse_qs(urlsplit(client.get(BEGIN).headers["Location"]).query).items()
    }

    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 32
    assert "client_secret" not in asked
    assert asked["redirect_uri"] == f"http://testserver{CALLBACK}"


# --- Attacks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "of another log-in"},
        {"nonce": None},
        {"aud": "payroll"},
        {"aud": ["payroll", CLIENT["OIDC_CLIENT_ID"]], "azp": "payroll"},
        {"iss": "https://login.example.org"},
        {"exp": 1},
        {"sub": "somebody else than userinfo says"},
    ],
    ids="+".join,
)
def test_an_id_token_that_does_not_fit_logs_nobody_in(client, issuer, wrong):
    issuer.in_id_token = wrong

    assert ASK_AGAIN in refused(client, log_in(client))
    assert not User.objects.exists()


def test_a_callback_that_this_browser_did_not_begin_logs_nobody_in(client, issuer):
    _, back, _ = visit(Client().get(BEGIN).headers["Location"])
    client.get(BEGIN)

    answer = client.get(back.removeprefix("http://testserver"))

    assert ASK_AGAIN in refused(client, answer)
    assert issuer.asked["/token"] == 0


def test_a_callback_works_once(client, issuer):
    _, back, _ = visit(client.get(BEGIN).headers["Location"])
    path = back.removeprefix("http://testserver")
    client.get(path)
    client.post(reverse("admin:logout"))

    assert ASK_AGAIN in refused(client, client.get(path))


def test_a_code_in_the_address_of_the_password_form_is_not_exchanged(client, issuer):
    client.post("/admin/login/?code=stolen&state=x", {"username": "rob", "password": "guess"})

    assert issuer.asked["/token"] == 0


@pytest.mark.parametrize("query", ["", "?error=access_denied", "?code=x", "?code=x&state=y"])
def test_a_callback_out_of_nowhere_is_answered_in_words(client, issuer, query):
    assert ASK_AGAIN in refused(client, client.get(CALLBACK + query))


@pytest.mark.parametrize("theirs", [{}, {"is_superuser": True}, {"password": None}])
def test_a_local_account_of_the_same_name_is_not_taken_over(client, issuer, theirs):
    account = UserFactory(username="rob", is_staff=False, **theirs)

    page = refused(client, log_in(client))

    assert "There is an account rob already that is not yours by single sign-on" in page
    account.refresh_from_db()
    assert (account.is_staff, account.groups.count()) == (False, 0)
    assert not LinkedIdentity.objects.exists()


def test_the_account_of_another_issuers_person_is_not_taken_over(client, issuer):
    account = UserFactory(username="rob")
    LinkedIdentity.objects.create(user=account, issuer="https://old.example.org", subject="rob")

    assert "There is an account rob already" in refused(client, log_in(client))


def test_a_superuser_logs_in_with_a_password_only(client, issuer):
    account = UserFactory(username="ada", is_superuser=True)
    LinkedIdentity.objects.create(user=account, issuer=issuer.url, subject="rob")

    assert "Superusers log in with their password." in refused(client, log_in(client))


def test_who_was_switched_off_is_told_so(client, issuer):
    log_in(Client())
    User.objects.update(is_active=False)

    assert "Your account is switched off." in refused(client, log_in(client))


def test_switching_an_account_off_ends_its_session(client, issuer, settings):
    settings.ACTOR_HEADERS = False
    log_in(client)
    assert client.get("/cases").status_code == 200

    User.objects.update(is_active=False)

    assert client.get("/cases").status_code == 401
    assert client.get(HOME).status_code == 302
    assert client.get("/admin/login/").wsgi_request.user.is_anonymous


def test_an_account_that_a_superuser_linked_keeps_its_name(client, issuer):
    account = UserFactory(username="robert")
    admin = Client()
    admin.force_login(UserFactory(username="ada", is_superuser=True))
    made = admin.post(
        reverse("admin:config_linkedidentity_add"), {"user": account.pk, "subject": "rob"}
    )
    assert made.status_code == 302

    log_in(client)

    assert who(client) == "robert"
    assert [g.name for g in account.groups.all()] == ["reviewer"]


def test_only_superusers_link(client, issuer):
    client.force_login(UserFactory(roles=["admin", "supervisor"]))

    assert client.get(reverse("admin:config_linkedidentity_add")).status_code == 403
    assert client.get(reverse("admin:config_linkedidentity_changelist")).status_code == 403


def test_a_superusers_account_is_not_offered_for_a_link(client, issuer):
    ada = UserFactory(username="ada", is_superuser=True)
    client.force_login(ada)

    answer = client.post(
        reverse("admin:config_linkedidentity_add"), {"user": ada.pk, "subject": "rob"}
    )

    assert "Select a valid choice" in text(answer)
    assert not LinkedIdentity.objects.exists()


# --- Off, and away --------------------------------------------------------------------------------


def test_without_configuration_there_is_neither_button_nor_address(client, settings):
    assert "single sign-on" not in text(client.get("/admin/login/"))
    assert client.get(BEGIN).status_code == 404
    assert client.get(CALLBACK).status_code == 404


def test_with_configuration_there_is_a_button_and_the_issuer_is_not_asked_for_it(client, issuer):
    assert "Log in with single sign-on" in text(client.get("/admin/login/"))
    client.force_login(UserFactory(roles=["reviewer"]))
    assert client.get("/admin/cases/case/").status_code == 200
    assert not issuer.asked


@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration", "/keys", "/token", "/userinfo"]
)
def test_an_issuer_that_does_not_work_is_said_in_words(client, issuer, path):
    issuer.broken[path] = (500, b"<html>oops</html>")
    answer = client.get(BEGIN)
    if answer.headers["Location"].startswith(issuer.url):
        answer = log_in(client)

    assert "The identity provider does not answer" in refused(client, answer)


def test_passwords_work_beside_it(client, issuer):
    UserFactory(username="ada", is_superuser=True)

    client.post("/admin/login/", {"username": "ada", "password": "correct horse battery staple"})

    assert who(client) == "ada"
    assert not issuer.asked


def test_a_real_provider_logs_people_in(client, configured):
    person = {"sub": "sue", "groups": ["supervisor"]}
    configured.OIDC_ROLES_CLAIM = "groups"
    with running_provider(person) as url:
        configured.OIDC_ISSUER = url
        leave = client.get(BEGIN).headers["Location"]
        _, back, _ = visit(leave, {"sub": "sue"})

        answer = client.get(back.removeprefix("http://testserver"))

        assert (answer.status_code, answer.headers["Location"]) == (302, HOME)
        assert who(client) == "sue"
        assert [g.name for g in User.objects.get(username="sue").groups.all()] == ["supervisor"]
        _, denied, _ = visit(Client().get(BEGIN).headers["Location"], {"action": "deny"})
        assert "error=access_denied" in denied
