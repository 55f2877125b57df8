"""Bearer API tokens: they act as their account, cost one statement, and end when told."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from cases.policies import DEFAULT_ROLES
from config import tokens
from config.models import ApiToken
from tests.api import expect
from tests.api.conftest import Caller
from tests.api.endpoints import WRITES
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db
CHALLENGE = 'Bearer realm="regulatory-cases"'


def token_of(user, name="nightly intake", days=30):
    return tokens.create_token(user=user, name=name, days=days, by="ada")[1]


def bearing(token, **headers):
    caller = Caller(raise_request_exception=False)
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}", **headers)
    return caller


def refused(answer):
    """Check that nobody was let in, and return the sentence that says why."""
    expect.refusal(answer, 401, "not_authenticated", set())
    return answer.json()["message"]


@pytest.fixture
def headers_off(settings):
    settings.ACTOR_HEADERS = False


def test_a_token_acts_as_its_account(headers_off):
    case = CaseFactory(status="UNDER_REVIEW")
    caller = bearing(token_of(UserFactory(username="rob", roles=["reviewer"])))

    answer = caller.post(f"/cases/{case.id}/close", {"reason": "Settled"})

    assert expect.the_case(answer)["status"] == "CLOSED"
    trail = caller.get(f"/cases/{case.id}/audit-events").json()["results"]
    assert trail[-1]["actor_id"] == "rob"


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_a_token_may_no_more_than_its_account(headers_off, write):
    case = write.case()

    answer = write.call(bearing(token_of(UserFactory(roles=["auditor"]))), case.id)

    expect.refusal(answer, 403, "permission_denied", set())
    expect.unchanged(case)


@pytest.mark.parametrize(
    ("account", "permissions"),
    [
        ({"roles": []}, frozenset()),
        ({"roles": ["case_writer"]}, DEFAULT_ROLES["case_writer"]),
        ({"roles": ["reviewer", "auditor"]}, DEFAULT_ROLES["reviewer"] | DEFAULT_ROLES["auditor"]),
        ({"is_superuser": True}, DEFAULT_ROLES["admin"]),
    ],
    ids=["no role", "one role", "two roles", "superuser"],
)
def test_the_rights_are_those_of_the_account_in_one_statement(account, permissions):
    user = UserFactory(**account)
    token = token_of(user)

    with CaptureQueriesContext(connection) as captured:
        actor = tokens.open_with(token)

    assert (actor.id, actor.permissions) == (user.username, permissions)
    assert [q["sql"].split(maxsplit=1)[0] for q in captured] == ["SELECT"]


def test_a_permission_of_the_account_itself_counts_with_those_of_its_roles():
    user = UserFactory(roles=["auditor"])
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_case", "add_note"]))
    user.user_permissions.add(Permission.objects.get(codename="delete_user"))

    actor = tokens.open_with(token_of(user))

    assert actor.permissions == DEFAULT_ROLES["auditor"] | {"add_note"}


def test_a_request_by_token_asks_once_who_calls_and_writes_nothing(headers_off):
    case = CaseFactory()
    caller = bearing(token_of(UserFactory(roles=["auditor"])))

    with CaptureQueriesContext(connection) as captured:
        expect.the_case(caller.get(f"/cases/{case.id}"))

    sql = [q["sql"] for q in captured if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert [statement.split(maxsplit=1)[0] for statement in sql] == ["SELECT", "SELECT"]
    assert "api_tokens" in sql[0]


def test_only_a_hash_is_stored():
    token = token_of(UserFactory())

    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM api_tokens t")
        (row,) = cursor.fetchone()

    assert token not in row
    assert token[20:] not in row
    assert re.fullmatch(r"rcm_[0-9a-f]{64}", token)


# --- What opens nothing ---------------------------------------------------------------------------


def test_a_token_ends_when_its_time_is_over(headers_off):
    token = token_of(UserFactory(roles=["auditor"]))
    assert bearing(token).get("/cases").status_code == 200

    ApiToken.objects.update(expiry=now() - timedelta(seconds=1))

    assert refused(bearing(token).get("/cases")) == "The API token has expired."


def test_a_revoked_token_ends_at_once_and_no_other_does(headers_off):
    user = UserFactory(roles=["auditor"])
    first, second = token_of(user, "first"), token_of(user, "second")

    tokens.revoke_tokens(ApiToken.objects.filter(name="first"), by="ada")

    assert refused(bearing(first).get("/cases")) == "The API token was revoked."
    assert bearing(second).get("/cases").status_code == 200


def test_the_tokens_of_an_account_end_with_it(headers_off):
    user = UserFactory(roles=["admin"])
    token = token_of(user)

    user.is_active = False
    user.save()

    assert refused(bearing(token).get("/cases")) == (
        "The account of the API token is switched off."
    )


def test_a_token_that_was_never_made_is_refused_by_its_form_or_by_a_look():
    made = token_of(UserFactory(roles=["admin"]))
    neighbour = made[:-1] + ("0" if made[-1] != "0" else "1")

    assert refused(bearing(neighbour).get("/cases")) == "There is no such API token."
    with CaptureQueriesContext(connection) as captured:
        for form in (made[4:], made.upper(), made + "0", made[:-1], made[:15], "rcm_"):
            assert refused(bearing(form).get("/cases")) == "This is no API token."
    assert not [q for q in captured if "api_tokens" in q["sql"]]


MALFORMED = {
    "another scheme": ("Basic cm9iOnNlY3JldA==", "takes the scheme Bearer", False),
    "the scheme of another service": ("Token rcm_", "takes the scheme Bearer", False),
    "no scheme": ("rcm_" + "0" * 64, "takes the scheme Bearer", False),
    "empty": ("", "takes the scheme Bearer", False),
    "no token": ("Bearer", "1 to 8192 printable", True),
    "only spaces": ("Bearer    ", "1 to 8192 printable", True),
    "two tokens": ("Bearer one two", "takes one bearer token", True),
    "two headers": ("Bearer one,Bearer two", "takes one bearer token", True),
    "not ASCII": ("Bearer t\u00f6ken", "1 to 8192 printable", True),
    "a tab": ("Bearer one\ttwo", "1 to 8192 printable", True),
    "10 kB": ("Bearer " + "x" * 10_240, "1 to 8192 printable", True),
    "10 kB of parts": ("Bearer " + "x." * 5_120, "1 to 8192 printable", True),
}


@pytest.mark.parametrize(("header", "sentence", "tried"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_header_is_refused_in_words(stranger, header, sentence, tried):
    answer = stranger.get("/cases", HTTP_AUTHORIZATION=header)

    assert sentence in refused(answer)
    expected = f'{CHALLENGE}, error="invalid_token"' if tried else CHALLENGE
    assert answer.headers["WWW-Authenticate"] == expected


@pytest.mark.parametrize("off", [True, False])
def test_nobody_is_asked_for_a_bearer_token(stranger, settings, off):
    settings.ACTOR_HEADERS = not off

    answer = stranger.get("/cases")

    assert refused(answer) == "Say who you are."
    assert answer.headers["WWW-Authenticate"] == CHALLENGE


def test_the_scheme_is_known_in_any_case(stranger):
    token = token_of(UserFactory(roles=["auditor"]))

    for scheme in ("bearer", "BEARER", "BeArEr"):
        assert stranger.get("/cases", HTTP_AUTHORIZATION=f"{scheme} {token}").status_code == 200


# --- Beside other ways in -------------------------------------------------------------------------


def test_a_token_wins_over_headers_and_gets_no_roles_from_them():
    token = token_of(UserFactory(username="wanda", roles=["case_writer"]))
    both = bearing(token, HTTP_X_ACTOR_ID="ada", HTTP_X_ACTOR_ROLES="admin")
    hidden = CaseFactory(restricted=True)

    assert expect.the_case(both.post("/cases", {"title": "Late"}), 201)["created_by"] == "wanda"
    expect.refusal(both.get(f"/cases/{hidden.id}"), 404, "case_not_found", set())


def test_a_bad_token_beside_good_headers_is_refused():
    both = bearing("rcm_" + "0" * 64, HTTP_X_ACTOR_ID="ada", HTTP_X_ACTOR_ROLES="admin")

    assert refused(both.get("/cases")) == "There is no such API token."


def test_a_token_wins_over_a_session_and_needs_no_csrf_token(headers_off):
    caller = Caller(enforce_csrf_checks=True, raise_request_exception=False)
    caller.force_login(UserFactory(username="ada", is_superuser=True))
    token = token_of(UserFactory(username="wanda", roles=["case_writer"]))

    answer = caller.post("/cases", {"title": "Late"}, HTTP_AUTHORIZATION=f"Bearer {token}")

    assert expect.the_case(answer, 201)["created_by"] == "wanda"


def test_a_bad_token_does_not_fall_back_on_a_session(headers_off):
    caller = Caller(raise_request_exception=False)
    caller.force_login(UserFactory(is_superuser=True))

    answer = caller.get("/cases", HTTP_AUTHORIZATION="Bearer rcm_" + "0" * 64)

    assert refused(answer) == "There is no such API token."


def test_a_token_opens_no_back_office(headers_off):
    token = token_of(UserFactory(is_superuser=True))

    answer = bearing(token).get("/admin/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/login/?next=/admin/")


# --- Making and revoking --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "  "}, "A name has 1 to 100 printable characters."),
        ({"name": "x" * 101}, "A name has 1 to 100 printable characters."),
        ({"name": "a\nb"}, "A name has 1 to 100 printable characters."),
        ({"days": 0}, "A token holds from 1 to 90 days."),
        ({"days": -1}, "A token holds from 1 to 90 days."),
        ({"days": 91}, "A token holds from 1 to 90 days."),
    ],
)
def test_a_token_has_a_name_and_an_end(change, sentence):
    wanted = {"user": UserFactory(), "name": "nightly intake", "days": 90, "by": "ada"}

    with pytest.raises(tokens.TokenRefused, match=re.escape(sentence)):
        tokens.create_token(**wanted | change)

    assert not ApiToken.objects.exists()


def test_who_is_switched_off_gets_no_token():
    with pytest.raises(tokens.TokenRefused, match="switched off"):
        token_of(UserFactory(is_active=False))


def test_making_and_revoking_are_told_without_the_token(django_capture_on_commit_callbacks, caplog):
    user = UserFactory(username="rob")

    with django_capture_on_commit_callbacks(execute=True):
        token = token_of(user)
        (row,) = tokens.revoke_tokens(ApiToken.objects.all(), by="sue")

    told = [record.msg for record in caplog.records if record.name == "tokens"]
    assert [(line["event"], line["by"], line["owner"]) for line in told] == [
        ("api_token_created", "ada", "rob"),
        ("api_token_revoked", "sue", "rob"),
    ]
    assert {line["token_id"] for line in told} == {str(row.id)}
    assert token[:15] not in caplog.text
    assert token[4:] not in caplog.text


def test_a_revocation_is_not_told_twice():
    token_of(UserFactory())
    everything = ApiToken.objects.all()

    assert len(tokens.revoke_tokens(everything, by="ada")) == 1
    assert tokens.revoke_tokens(everything, by="sue") == []
    assert ApiToken.objects.get().revoked_by == "ada"
