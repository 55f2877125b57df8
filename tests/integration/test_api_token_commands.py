"""``create_api_token``, ``list_api_tokens`` and ``revoke_api_tokens``."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from config import tokens
from config.models import ApiToken
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def run(*arguments: str, leaves: int = 0) -> tuple[str, str]:
    """Run a command and return what it wrote: to standard output, and what it said besides."""
    out, err, code, said = io.StringIO(), io.StringIO(), 0, ""
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except CommandError as error:
        code, said = error.returncode, str(error)
    assert code == leaves
    return out.getvalue(), err.getvalue() + said


def test_the_token_alone_goes_to_standard_output():
    rob = UserFactory(username="rob", roles=["reviewer"])

    out, err = run("create_api_token", "rob", "--name", "nightly intake")

    token = out.removesuffix("\n")
    assert tokens.open_with(token).id == rob.username
    assert token not in err
    assert "It acts as rob until" in err


def test_as_json_it_comes_with_its_facts():
    UserFactory(username="rob")

    out, _ = run("create_api_token", "rob", "--name", "x", "--days", "7", "--json")

    made, row = json.loads(out), ApiToken.objects.get()
    assert made == {
        "token": made["token"],
        "id": str(row.id),
        "user": "rob",
        "name": "x",
        "expires": row.expiry.isoformat(),
    }
    assert (row.expiry - row.created).days in (6, 7)
    assert tokens.open_with(made["token"])


@pytest.mark.parametrize(
    ("arguments", "leaves", "sentence"),
    [
        (["nobody", "--name", "x"], 2, "There is no account 'nobody'."),
        (["rob", "--name", " "], 2, "A name has 1 to 100 printable characters."),
        (["rob", "--name", "x", "--days", "0"], 2, "A token holds from 1 to 90 days."),
        (["rob", "--name", "x", "--days", "400"], 2, "A token holds from 1 to 90 days."),
        (["gone", "--name", "x"], 1, "The account gone is switched off."),
    ],
)
def test_what_cannot_be_made_is_said_with_an_exit_code(arguments, leaves, sentence):
    UserFactory(username="rob")
    UserFactory(username="gone", is_active=False)

    out, err = run("create_api_token", *arguments, leaves=leaves)

    assert (out, err) == ("", sentence)
    assert not ApiToken.objects.exists()


@pytest.fixture
def three():
    rob, sue = UserFactory(username="rob"), UserFactory(username="sue")
    return {
        (user.username, name): tokens.create_token(user=user, name=name, days=9, by="ada")[1]
        for user, name in ((rob, "intake"), (rob, "export"), (sue, "intake"))
    }


def active() -> set[tuple[str, str]]:
    return {
        (row.user.username, row.name) for row in ApiToken.objects.all() if row.state == "active"
    }


def test_all_tokens_of_an_account_are_revoked(three):
    run("revoke_api_tokens", "rob")

    assert active() == {("sue", "intake")}


def test_those_of_one_name_are_revoked(three):
    out, _ = run("revoke_api_tokens", "rob", "--name", "intake", "--json")

    assert active() == {("rob", "export"), ("sue", "intake")}
    (told,) = json.loads(out)["revoked"]
    assert (told["user"], told["name"]) == ("rob", "intake")


def test_leaked_tokens_are_found_in_any_text(three, monkeypatch):
    leaked = f"curl -H 'Authorization: Bearer {three['sue', 'intake']}' …\nrcm_{'0' * 64}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(leaked))

    _, err = run("revoke_api_tokens", "--leaked")

    assert active() == {("rob", "intake"), ("rob", "export")}
    assert "Revoked: intake of sue." in err
    assert "rcm_" not in err


@pytest.mark.parametrize(
    ("arguments", "leaves", "sentence"),
    [
        ([], 2, "Name an account"),
        (["rob", "--leaked"], 2, "Name an account"),
        (["--leaked", "--name", "intake"], 2, "Name an account"),
        (["nobody"], 2, "There is no account 'nobody'."),
        (["rob", "--name", "unheard of"], 1, "There was no active token to revoke."),
    ],
)
def test_what_cannot_be_revoked_is_said_with_an_exit_code(three, arguments, leaves, sentence):
    _, err = run("revoke_api_tokens", *arguments, leaves=leaves)

    assert sentence in err
    assert len(active()) == 3


def test_the_list_tells_what_is_known_of_each(three):
    run("revoke_api_tokens", "sue")

    out, _ = run("list_api_tokens", "--json")
    of_rob, _ = run("list_api_tokens", "rob")

    rows = [json.loads(line) for line in out.splitlines()]
    assert {(row["user"], row["name"], row["state"]) for row in rows} == {
        ("rob", "intake", "active"),
        ("rob", "export", "active"),
        ("sue", "intake", "revoked"),
    }
    assert len(of_rob.splitlines()) == 2
    assert all(line.startswith("rob  active  until ") for line in of_rob.splitlines())
    assert not any(token[4:] in out for token in three.values())
