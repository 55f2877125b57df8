"""Bearer tokens of the trusted issuer: what is believed, and everything that is not."""

import base64
import json
import socket
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from cases import services
from config.models import LinkedIdentity
from config.oidc import issuer as issuer_module
from tests.api import expect
from tests.api.conftest import Caller
from tests.cast import SUPERVISOR
from tests.factories import CaseFactory, UserFactory
from tests.issuer import AUDIENCE, public_jwk, rsa_key, running_issuer, running_provider, visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def issuer(settings):
    with running_issuer() as found:
        settings.OIDC_ISSUER = found.url
        settings.OIDC_AUDIENCE = AUDIENCE
        yield found


@pytest.fixture
def no_pause(monkeypatch):
    """Let the issuer be asked again at once, instead of after some seconds."""
    monkeypatch.setattr(issuer_module, "_PAUSE", 0.0)
    monkeypatch.setattr(issuer_module, "_PAUSE_AFTER_FAILURE", 0.0)


def bearing(token, **headers) -> APIClient:
    caller = Caller(raise_request_exception=False)
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}", **headers)
    return caller


def refused(token):
    """Check that a token opens nothing, and return the sentence that says why."""
    answer = bearing(token).get("/cases")
    expect.refusal(answer, 401, "not_authenticated", set())
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="regulatory-cases", error="invalid_token"'
    )
    return answer.json()["message"]


def test_who_the_issuer_names_acts_with_the_permissions_of_the_roles(issuer):
    case = CaseFactory(status="UNDER_REVIEW")

    answer = bearing(issuer.token()).post(f"/cases/{case.id}/close", {"reason": "Settled"})

    assert expect.the_case(answer)["status"] == "CLOSED"
    trail = bearing(issuer.token()).get(f"/cases/{case.id}/audit-events").json()["results"]
    assert trail[-1]["actor_id"] == "rob"


def test_a_token_without_roles_opens_only_what_was_granted_to_its_name(issuer):
    granted, other = CaseFactory(), CaseFactory()
    UserFactory(username="rob")
    services.grant_access(case_id=granted.id, user="rob", permission="view_case", actor=SUPERVISOR)
    caller = bearing(issuer.token(roles=None))

    expect.the_case(caller.get(f"/cases/{granted.id}"))
    expect.refusal(caller.get(f"/cases/{other.id}"), 404, "case_not_found", set())


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("roles", {"roles": ["offline_access", "reviewer"]}),
        ("roles", {"roles": "openid reviewer"}),
        ("realm_access.roles", {"realm_access": {"roles": ["reviewer"]}}),
        ("resource.cases-api.roles", {"resource": {"cases-api": {"roles": ["reviewer"]}}}),
        ("https://example.org/roles", {"https://example.org/roles": ["reviewer"]}),
    ],
)
def test_roles_stand_where_the_setting_says(issuer, settings, path, claims):
    settings.OIDC_ROLES_CLAIM = path
    case = CaseFactory(status="UNDER_REVIEW")

    read = expect.the_case(
        bearing(issuer.token(**({"roles": None} | claims))).get(f"/cases/{case.id}")
    )

    assert "close" in read["available_actions"]


@pytest.mark.parametrize(
    "roles", [{"reviewer": True}, 7, ["reviewer", 7], ["x"] * 501, ["a\0b"], ["\ud800"]]
)
def test_roles_of_another_form_are_refused_not_dropped(issuer, roles):
    assert refused(issuer.token(roles=roles)) == (
        "The token's claim roles must be a list of role names."
    )


def test_the_actor_is_named_by_the_claim_that_the_setting_names(issuer, settings):
    settings.OIDC_ACTOR_CLAIM = "preferred_username"
    token = issuer.token(preferred_username="wanda", roles=["case_writer"])

    answer = bearing(token).post("/cases", {"title": "Late"})

    assert expect.the_case(answer, 201)["created_by"] == "wanda"


@pytest.mark.parametrize(
    "name", ["", " rob", "rob ", "r\u00f6b", "r\nb", "x" * 151, "\0", 7, ["rob"]]
)
def test_a_name_that_cannot_be_one_here_is_refused(issuer, settings, name):
    settings.OIDC_ACTOR_CLAIM = "name"

    assert refused(issuer.token(name=name)) == (
        "The token's claim name must hold 1 to 150 printable ASCII characters: it names the actor."
    )


@pytest.mark.parametrize("subject", ["", "a\0b", "s\u00fcb", "x" * 256])
def test_a_subject_that_cannot_be_one_is_refused(issuer, settings, subject):
    settings.OIDC_ACTOR_CLAIM = "name"

    assert "claim sub" in refused(issuer.token(sub=subject, name="rob"))


NOW = int(time.time())
WRONG = {
    "another audience": ({"aud": "payroll"}, "another audience"),
    "other audiences": ({"aud": ["payroll", "mail"]}, "another audience"),
    "no audience": ({"aud": None}, "lacks the claim aud"),
    "another issuer": ({"iss": "https://login.example.org"}, "another issuer"),
    "the issuer with a slash": ({"iss": "http://127.0.0.1/"}, "another issuer"),
    "no issuer": ({"iss": None}, "lacks the claim iss"),
    "expired": ({"exp": NOW - 3600}, "has expired"),
    "expired a minute ago": ({"exp": NOW - 60}, "has expired"),
    "no expiry": ({"exp": None}, "lacks the claim exp"),
    "not yet": ({"nbf": NOW + 3600}, "does not hold yet"),
    "issued tomorrow": ({"iat": NOW + 86_400}, "does not hold yet"),
    "no time of issue": ({"iat": None}, "lacks the claim iat"),
    "no subject": ({"sub": None}, "lacks the claim sub"),
    "a subject that is a number": ({"sub": 7}, "malformed"),
    "an expiry that is a text": ({"exp": "tomorrow"}, "malformed"),
    "an endless expiry": ({"exp": float("inf")}, "malformed"),
}


@pytest.mark.parametrize(("changes", "sentence"), WRONG.values(), ids=WRONG)
def test_claims_that_do_not_fit_are_refused_in_words(issuer, changes, sentence):
    assert sentence in refused(issuer.token(**changes))


def test_clocks_may_differ_by_some_seconds(issuer):
    now = int(time.time())

    for changes in ({"exp": now - 10}, {"iat": now + 10}, {"nbf": now + 10}):
        assert bearing(issuer.token(**changes)).get("/cases").status_code == 200


def unsigned(claims, **header):
    parts = [json.dumps(part).encode() for part in ({"typ": "JWT", **header}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 7, ["RS256"]])
def test_a_token_without_a_signature_is_refused(issuer, algorithm):
    refused(unsigned(issuer.claims(), alg=algorithm, kid="first"))
    refused(unsigned(issuer.claims(), alg=algorithm))


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_the_public_key_is_no_shared_secret(issuer, form):
    """The classic confusion: HMAC with the public key, which everybody knows, as its secret."""
    public = (
        rsa_key()
        .public_key()
        .public_bytes(
            getattr(serialization.Encoding, form), serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    body = unsigned(issuer.claims(), alg="HS256", kid="first").rstrip(".")
    signature = jwt.get_algorithm_by_name("HS256").sign(body.encode(), public)
    forged = f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    assert "must be signed with one of" in refused(forged)


def test_a_shared_secret_among_the_issuers_keys_is_not_used(issuer):
    secret = b"s" * 32
    encoded = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    issuer.jwks["keys"].append({"kty": "oct", "kid": "shared", "k": encoded})
    forged = jwt.encode(issuer.claims(), secret, algorithm="HS256", headers={"kid": "shared"})

    refused(forged)


def test_another_persons_key_is_not_the_issuers(issuer):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode(issuer.claims(), stranger, algorithm="RS256", headers={"kid": "first"})

    assert refused(forged) == "The signature of the token is wrong."


def test_a_key_that_the_token_brings_along_is_not_looked_at(issuer):
    stranger = ec.generate_private_key(ec.SECP256R1())
    with running_issuer() as elsewhere:
        elsewhere.signing["first"] = stranger
        elsewhere.jwks = {"keys": [public_jwk(stranger, "first")]}
        headers = {
            "kid": "first",
            "jwk": public_jwk(stranger, "first"),
            "jku": f"{elsewhere.url}/keys",
            "x5u": f"{elsewhere.url}/keys",
        }
        forged = jwt.encode(issuer.claims(), stranger, algorithm="ES256", headers=headers)

        refused(forged)
        assert not elsewhere.asked


def test_a_key_is_used_for_nothing_but_what_it_was_made_for(issuer):
    issuer.jwks = {"keys": [public_jwk(rsa_key(), "first", use="enc")]}
    refused(issuer.token())


def test_a_key_made_for_one_algorithm_checks_no_other(issuer):
    issuer.jwks = {"keys": [public_jwk(rsa_key(), "first", alg="RS512")]}

    refused(issuer.token(algorithm="RS256"))
    assert bearing(issuer.token(algorithm="RS512")).get("/cases").status_code == 200


def test_a_token_that_names_no_key_is_checked_where_there_is_only_one(issuer, no_pause):
    assert bearing(issuer.token(kid=None)).get("/cases").status_code == 200

    issuer.jwks["keys"].append(public_jwk(rsa_key(), "second"))
    issuer_module.the_issuer()._answered = float("-inf")
    refused(issuer.token(kid=None))


GARBAGE = {
    "two dots": "..",
    "no JSON": "YWJj.YWJj.YWJj",
    "not base64": "a!b.c.d",
    "a list": unsigned([], alg="RS256"),
    "deep header": base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=") + ".e30.e30",
    "key id that is a list": unsigned({}, alg="RS256", kid=["first"]),
    "critical extension": unsigned({}, alg="RS256", kid="first", crit=["exp2"], exp2=1),
}


@pytest.mark.parametrize("token", GARBAGE.values(), ids=GARBAGE)
def test_what_only_looks_like_a_token_is_refused(issuer, token):
    refused(token)


def test_a_changed_claim_breaks_the_signature(issuer):
    header, _, signature = issuer.token().split(".")
    claims = json.dumps(issuer.claims(roles=["admin"])).encode()
    body = base64.urlsafe_b64encode(claims).rstrip(b"=").decode()

    assert refused(f"{header}.{body}.{signature}") == "The signature of the token is wrong."


# --- Keys -----------------------------------------------------------------------------------------


def test_keys_are_asked_for_once(issuer):
    for _ in range(5):
        assert bearing(issuer.token()).get("/cases").status_code == 200

    assert issuer.asked == {"/.well-known/openid-configuration": 1, "/keys": 1}


def test_a_new_key_is_found_and_the_old_one_forgotten(issuer, no_pause):
    old = issuer.token()
    assert bearing(old).get("/cases").status_code == 200

    issuer.add_key("second")
    renewed = issuer.token(kid="second", algorithm="ES256")

    assert bearing(renewed).get("/cases").status_code == 200
    refused(old)


def test_unknown_keys_cannot_hammer_the_issuer(issuer):
    assert bearing(issuer.token()).get("/cases").status_code == 200
    stranger = ec.generate_private_key(ec.SECP256R1())

    for number in range(20):
        headers = {"kid": f"garbage-{number}"}
        refused(jwt.encode(issuer.claims(), stranger, algorithm="ES256", headers=headers))

    assert issuer.asked["/keys"] == 1


# --- An issuer that is away -----------------------------------------------------------------------


def unavailable(answer):
    expect.refusal(answer, 503, "dependency_unavailable", set())
    assert int(answer.headers["Retry-After"]) > 0
    assert "identity provider" in answer.json()["message"]


BROKEN = {
    "document missing": ("/.well-known/openid-configuration", 404, b"{}"),
    "document failing": ("/.well-known/openid-configuration", 500, b""),
    "document no JSON": ("/.well-known/openid-configuration", 200, b"<html>"),
    "document a list": ("/.well-known/openid-configuration", 200, b"[]"),
    "document too deep": ("/.well-known/openid-configuration", 200, b"[" * 100_000),
    "keys missing": ("/keys", 404, b"{}"),
    "keys no JSON": ("/keys", 200, b"oops"),
    "keys no list": ("/keys", 200, b'{"keys": 7}'),
}


@pytest.mark.parametrize(("path", "status", "content"), BROKEN.values(), ids=BROKEN)
def test_an_issuer_that_does_not_work_is_a_503(issuer, no_pause, path, status, content):
    issuer.broken[path] = (status, content)
    unavailable(bearing(issuer.token()).get("/cases"))

    del issuer.broken[path]
    assert bearing(issuer.token()).get("/cases").status_code == 200


DOCUMENT = "/.well-known/openid-configuration"


def test_a_document_of_another_issuer_is_not_believed(issuer, no_pause):
    issuer.document["issuer"] = "https://login.example.org"
    unavailable(bearing(issuer.token()).get("/cases"))


def test_a_document_of_any_size_is_not_read(issuer, no_pause):
    content = json.dumps(issuer.document).encode()

    issuer.broken[DOCUMENT] = (200, b" " * 1_048_577 + content)
    unavailable(bearing(issuer.token()).get("/cases"))

    issuer.broken[DOCUMENT] = (200, b" " * 10_000 + content)
    assert bearing(issuer.token()).get("/cases").status_code == 200


def test_redirects_are_not_followed(issuer, no_pause):
    """The keys could end up coming from a place that is not the issuer's."""
    issuer.broken["/keys"] = (302, f"{issuer.url}/keys-elsewhere".encode())
    issuer.broken["/keys-elsewhere"] = (200, json.dumps(issuer.jwks).encode())

    unavailable(bearing(issuer.token()).get("/cases"))

    assert issuer.asked["/keys"] == 1
    assert issuer.asked["/keys-elsewhere"] == 0


def test_an_issuer_that_cannot_be_reached_is_a_503_for_people_too(issuer):
    issuer.broken["/keys"] = (500, b"")
    answer = bearing(issuer.token()).get("/cases", HTTP_ACCEPT="text/html")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_an_issuer_that_is_away_is_left_in_peace_for_some_seconds(issuer):
    issuer.broken["/keys"] = (500, b"")

    for _ in range(10):
        unavailable(bearing(issuer.token()).get("/cases"))

    assert issuer.asked["/keys"] == 1


def test_an_issuer_that_keeps_silent_does_not_keep_the_caller(settings, monkeypatch):
    monkeypatch.setattr(issuer_module, "_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, running_issuer() as known:
        settings.OIDC_ISSUER = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings.OIDC_AUDIENCE = AUDIENCE
        started = time.monotonic()

        unavailable(bearing(known.token()).get("/cases"))

        assert time.monotonic() - started < 5


def test_known_keys_outlive_a_short_outage(issuer, no_pause, monkeypatch):
    assert bearing(issuer.token()).get("/cases").status_code == 200
    monkeypatch.setattr(issuer_module, "_FRESH", 0.0)
    issuer.broken["/keys"] = (500, b"")

    assert bearing(issuer.token()).get("/cases").status_code == 200
    assert issuer.asked["/keys"] == 2

    monkeypatch.setattr(issuer_module, "_STALE", 0.0)
    unavailable(bearing(issuer.token()).get("/cases"))


def test_an_api_token_needs_no_issuer(issuer):
    issuer.broken["/.well-known/openid-configuration"] = (500, b"")

    assert "no such API token" in refused("rcm_" + "0" * 64)
    assert not issuer.asked


@pytest.mark.parametrize("name", ["OIDC_ISSUER", "OIDC_AUDIENCE"])
def test_without_an_issuer_or_an_audience_no_such_token_is_taken(issuer, settings, name):
    setattr(settings, name, "")

    assert refused(issuer.token()) == "This service takes no tokens of an OpenID Connect issuer."
    assert not issuer.asked


# --- Accounts -------------------------------------------------------------------------------------


def test_who_was_switched_off_here_does_not_come_in_by_the_issuer(issuer):
    UserFactory(username="rob", roles=["reviewer"], is_active=False)

    assert refused(issuer.token()) == "The account of this name is switched off."


def test_who_was_switched_off_under_another_name_stays_out_too(issuer):
    account = UserFactory(username="robert", is_active=False)
    LinkedIdentity.objects.create(user=account, issuer=issuer.url, subject="rob")

    assert refused(issuer.token()) == "The account of this name is switched off."


@pytest.mark.parametrize("name", ["system", "SYSTEM"])
def test_nobody_takes_the_name_of_the_service_itself(issuer, name):
    assert refused(issuer.token(sub=name)) == "This name is the service's own."


def test_a_linked_person_goes_by_the_name_of_the_account(issuer):
    account = UserFactory(username="robert")
    LinkedIdentity.objects.create(user=account, issuer=issuer.url, subject="rob")

    answer = bearing(issuer.token(roles=["case_writer"])).post("/cases", {"title": "Late"})

    assert expect.the_case(answer, 201)["created_by"] == "robert"


@pytest.mark.parametrize("other", [{"subject": "42"}, {"issuer": "https://login.example.org"}])
def test_nobody_takes_the_name_of_a_colleague_who_is_linked(issuer, other):
    account = UserFactory(username="rob", roles=["admin"])
    theirs = {"issuer": issuer.url, "subject": "rob"} | other
    LinkedIdentity.objects.create(user=account, **theirs)

    assert refused(issuer.token()) == "The account of this name belongs to somebody else."


def test_the_name_of_a_superuser_brings_no_rights(issuer):
    UserFactory(username="rob", is_superuser=True)
    case = CaseFactory(restricted=True)

    answer = bearing(issuer.token()).get(f"/cases/{case.id}")

    expect.refusal(answer, 404, "case_not_found", set())
    assert User.objects.get(username="rob").is_superuser


def test_headers_beside_a_token_add_nothing(issuer):
    token = issuer.token(roles=["case_writer"])
    both = bearing(token, HTTP_X_ACTOR_ID="ada", HTTP_X_ACTOR_ROLES="admin")
    case = CaseFactory(restricted=True)

    assert expect.the_case(both.post("/cases", {"title": "Late"}), 201)["created_by"] == "rob"
    expect.refusal(both.get(f"/cases/{case.id}"), 404, "case_not_found", set())


# --- A provider that is not ours ------------------------------------------------------------------


def test_the_token_of_a_real_provider_opens_the_api(settings):
    person = {"sub": "wanda", "roles": ["case_writer"]}
    with running_provider(person) as url:
        settings.OIDC_ISSUER, settings.OIDC_AUDIENCE = url, AUDIENCE
        asked = {
            "client_id": AUDIENCE,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": "http://localhost/back",
            "state": "s",
            "nonce": "n",
        }
        _, back, _ = visit(f"{url}/oauth2/authorize?{urlencode(asked)}", {"sub": "wanda"})
        code = parse_qs(urlsplit(back).query)["code"][0]
        exchange = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": AUDIENCE,
            "client_secret": "any",
            "redirect_uri": asked["redirect_uri"],
        }
        token = json.loads(visit(f"{url}/oauth2/token", exchange)[2])["id_token"]

        answer = bearing(token).post("/cases", {"title": "Late"})

        assert expect.the_case(answer, 201)["created_by"] == "wanda"
        settings.OIDC_AUDIENCE = "payroll"
        assert "another audience" in refused(token)
