"""People hear by e-mail of changes to their account, and no mail server holds a change up."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils.timezone import now

from config import tokens
from config.models import AccountNotice, ApiToken, LinkedIdentity
from config.notices import WORDS, tell
from config.second_factor import state
from tests.factories import PASSWORD, UserFactory
from tests.integration.mail_server import Mailbox, mail_server
from tests.security.second_factor import CODE, calm, code_of, device_of, log_in, set_up

pytestmark = pytest.mark.django_db
NEW = "a longer and better word"


@pytest.fixture(scope="module")
def server() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture
def mailbox(server, settings) -> Mailbox:
    settings.EMAIL_URL = "smtp://127.0.0.1"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.DEFAULT_FROM_EMAIL = "Cases <cases@example.org>"
    settings.ADMIN_MFA = "optional"
    server.letters.clear()
    server.recipients.clear()
    server.to.clear()
    return server


@pytest.fixture
def ada(mailbox) -> User:
    return UserFactory(username="ada", email="ada@example.org", is_superuser=True)


@pytest.fixture
def rob(mailbox) -> User:
    return UserFactory(username="rob", email="rob@example.org", roles=["reviewer"])


def owed() -> list[tuple[str, str, str]]:
    """Return what waits, oldest first: to whom, what, by whom; it counts as sent from now on."""
    waiting = AccountNotice.objects.filter(state="waiting").order_by("at", "pk")
    found = list(waiting.values_list("recipient", "kind", "by"))
    waiting.update(state="sent")
    return found


def send() -> int:
    try:
        call_command("send_notices", stderr=StringIO())
    except CommandError as error:
        return error.returncode
    return 0


# --- What is told ---------------------------------------------------------------------------------


def test_changes_of_a_second_factor_are_told(client, ada):
    def told() -> list[str]:
        return [kind for _, kind, _ in owed()]

    client.force_login(ada)
    codes = set_up(client, ada)
    assert told() == ["second_factor_set_up"]
    client.post("/admin/second-factor/codes/")
    assert told() == ["recovery_codes_made"]
    set_up(client, ada)
    assert told() == ["second_factor_replaced"]

    other = Client()
    log_in(other, "ada")
    code = code_of(device_of(ada))
    other.post(CODE, {"code": code})  # that set the device up
    assert told() == ["code_used_twice"]
    calm(device_of(ada))
    other.post(CODE, {"code": "000000"})
    calm(device_of(ada))
    other.post(CODE, {"code": code})
    assert told() == []  # wrong, and twice again within the hour
    codes = state.renew_codes(ada)
    owed()
    other.post(CODE, {"code": codes[0]})
    (notice,) = AccountNotice.objects.filter(kind="recovery_code_used")
    assert (notice.recipient, notice.detail, notice.by) == ("ada@example.org", "9", "ada")
    assert notice.address == "127.0.0.1"
    owed()
    call_command("reset_second_factor", "ada", stderr=StringIO())
    assert owed() == [("ada@example.org", "second_factor_reset", "reset_second_factor")]


def test_a_new_password_is_told_whoever_set_it(client, ada, rob):
    owed()
    client.force_login(ada)
    client.post(
        "/admin/password_change/",
        {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW},
    )
    sent = {"usable_password": "true", "password1": NEW, "password2": NEW}
    client.post(f"/admin/auth/user/{rob.pk}/password/", sent)

    assert owed() == [
        ("ada@example.org", "password_changed", "ada"),
        ("rob@example.org", "password_changed", "ada"),
    ]


def test_a_password_that_cannot_be_told_of_is_not_changed(client, ada):
    client.force_login(ada)
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE account_notices RENAME TO away")
    try:
        own = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
        sent = {"usable_password": "true", "password1": NEW, "password2": NEW}
        pages = ("/admin/password_change/", f"/admin/auth/user/{ada.pk}/password/")
        answers = [client.post(page, own | sent).status_code for page in pages]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO account_notices")

    assert answers == [500, 500]
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


def test_a_hash_that_a_log_in_brings_up_to_date_is_no_new_password(settings, ada):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = ada.password

    log_in(Client(), "ada")

    assert User.objects.get(pk=ada.pk).password != before
    assert owed() == []


def test_another_address_is_told_to_both(rob):
    rob.email = "mallory@example.net"
    rob.save()

    assert {to for to, kind, _ in owed() if kind == "email_changed"} == {
        "mallory@example.net",
        "rob@example.org",
    }
    rob.save()
    assert owed() == []


def test_what_an_account_may_is_told_from_whichever_side_it_is_changed(rob):
    owed()
    AccountNotice.objects.all().delete()
    supervisor = Group.objects.get(name="supervisor")
    rob.groups.set([supervisor])
    rob.groups.clear()
    supervisor.user_set.add(rob)
    supervisor.user_set.clear()
    rob.groups.add(Group.objects.create(name="visitors"))
    Group.objects.get(name="visitors").delete()
    rob.is_superuser, rob.is_active = True, False
    rob.save()

    assert list(AccountNotice.objects.order_by("at", "pk").values_list("detail", flat=True)) == [
        "role taken away: reviewer",
        "role given: supervisor",
        "role taken away: supervisor",
        "role given: supervisor",
        "role taken away: supervisor",
        "role given: visitors",
        "role taken away: visitors",
        "switched off, made a superuser",
    ]


def test_tokens_are_told_to_the_account_that_they_act_as(rob):
    owed()
    tokens.create_token(user=rob, name="nightly intake", days=1, by="ada")
    tokens.revoke_tokens(ApiToken.objects.all(), by="ada")

    assert owed() == [
        ("rob@example.org", "api_token_created", "ada"),
        ("rob@example.org", "api_token_revoked", "ada"),
    ]


def test_a_link_to_a_single_sign_on_is_told_since_it_is_a_way_in(settings, client, ada, rob):
    settings.OIDC_ISSUER = "https://issuer.example"
    owed()
    client.force_login(ada)
    client.post("/admin/config/linkedidentity/add/", {"user": rob.pk, "subject": "s-1"})
    link = LinkedIdentity.objects.get()
    client.post(f"/admin/config/linkedidentity/{link.pk}/delete/", {"post": "yes"})

    assert owed() == [
        ("rob@example.org", "identity_linked", "ada"),
        ("rob@example.org", "identity_unlinked", "ada"),
    ]


def test_a_lock_is_told_once_an_hour_and_only_to_who_is_there(settings, rob):
    owed()
    settings.AXES_FAILURE_LIMIT = 2
    for name in ("rob", "rob", "rob", "nobody", "nobody", "nobody"):
        Client().post("/admin/login/", {"username": name, "password": "wrong"})

    assert owed() == [("rob@example.org", "login_locked", "")]


def test_a_change_that_did_not_happen_is_not_told(rob):
    owed()
    with pytest.raises(IntegrityError), transaction.atomic():
        tokens.create_token(user=rob, name="nightly intake", days=1, by="ada")
        UserFactory(username="rob")

    assert owed() == []


def test_who_has_no_address_is_told_nothing_and_it_is_logged(mailbox, caplog, settings):
    caplog.set_level("INFO")
    tell(UserFactory(username="wanda"), "password_changed")
    settings.EMAIL_URL = ""
    tell(UserFactory(username="rosa", email="rosa@example.org"), "password_changed")

    assert owed() == []
    lines = [record.msg for record in caplog.records if record.name == "notices"]
    told = [(line["actor_id"], line["kind"], line["letters"]) for line in lines]
    assert told == [("wanda", "password_changed", 0), ("rosa", "password_changed", 0)]


# --- What a letter is -----------------------------------------------------------------------------


def test_a_letter_says_what_when_and_by_whom_and_nothing_else(mailbox, ada):
    _, token = tokens.create_token(user=ada, name="nightly intake", days=1, by="sue")

    assert send() == 0

    (letter,) = mailbox.letters
    assert (letter["Subject"], letter["To"]) == ("An API token was made", "ada@example.org")
    assert letter["Auto-Submitted"] == "auto-generated"
    text = "\n".join(letter.get_content().splitlines())
    assert "acts as your account ada was made: nightly intake (holds until " in text
    assert "\nBy: sue\n" in text
    assert "http" not in text
    assert token not in text
    assert token[:12] not in text
    assert send() == 0
    assert len(mailbox.letters) == 1


def test_no_name_makes_a_header_or_a_line(mailbox):
    evil = UserFactory(username="rob\r\nBcc: eve@example.net\r\n\r\nClick", email="rob@example.org")
    for kind in WORDS:
        tell(evil, kind, detail="x\nBcc: eve@example.net", by="sue\r\nBcc: eve@example.net")
    UserFactory(username="eve", email="rob@example.org\nBcc: eve@example.net")
    tell(User.objects.get(username="eve"), "password_changed")

    assert send() == 0

    assert len(mailbox.letters) == len(WORDS)
    assert set(mailbox.recipients) == {"rob@example.org"}
    for letter in mailbox.letters:
        assert letter["Bcc"] is None
        assert "\nBcc" not in letter.get_content()
    assert AccountNotice.objects.get(account="eve").state == "refused"


# --- When the mail server does not do what it should ----------------------------------------------


def test_what_cannot_be_sent_waits_and_holds_nobody_up(mailbox, settings, ada, rob):
    owed()
    tell(rob, "password_changed")
    tell(ada, "password_changed")
    mailbox.to["rob@example.org"] = "452 mailbox full"

    assert send() == 1
    assert mailbox.recipients == ["ada@example.org"]
    mailbox.to["rob@example.org"] = "550 no such mailbox"
    assert send() == 0
    assert AccountNotice.objects.get(account="rob", kind="password_changed").state == "refused"

    tell(ada, "recovery_codes_made")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        settings.EMAIL_PORT = closed.getsockname()[1]
    assert send() == 1
    settings.EMAIL_PORT = mailbox.port
    assert send() == 0
    assert mailbox.letters[-1]["Subject"] == "New recovery codes were made"


def test_no_change_waits_for_a_mail_server_that_never_answers(mailbox, settings, client, ada):
    """It takes connections and says nothing; whoever spoke to it would wait for EMAIL_TIMEOUT."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        settings.EMAIL_PORT = silent.getsockname()[1]
        client.force_login(ada)
        set_up(client, ada)
        assert owed() == [("ada@example.org", "second_factor_set_up", "ada")]
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_old_news_is_not_sent_and_not_kept(mailbox, ada):
    for days in (4, 31):
        tell(ada, "recovery_codes_made")
        AccountNotice.objects.filter(at__gt=now() - timedelta(days=1)).update(
            at=now() - timedelta(days=days)
        )

    assert send() == 0

    assert mailbox.letters == []
    assert [notice.state for notice in AccountNotice.objects.all()] == ["expired"]
