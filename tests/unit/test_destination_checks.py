"""A destination that is switched on without what it needs is told of in a sentence at start."""

from __future__ import annotations

import base64

import pytest

from outbox import discretion
from outbox.checks import check_outbox
from outbox.destinations.broker import BrokerDestination
from outbox.destinations.email import EmailDestination
from outbox.destinations.webhook import WebhookDestination

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
URL = "https://hooks.example.org/cases"


def ids(found) -> list[str]:
    return [message.id for message in found]


@pytest.fixture
def good(settings):
    settings.OUTBOX_WEBHOOK_URL, settings.OUTBOX_WEBHOOK_SECRET = URL, SECRET
    settings.OUTBOX_BROKER_URL = "amqps://cases:pa55@broker.example.org/office"
    settings.EMAIL_URL = "smtp+tls://cases:pa55@mail.example.org:587"
    settings.DEFAULT_FROM_EMAIL = "Cases <cases@example.org>"
    settings.PUBLIC_URL = "https://cases.example.org"
    settings.OUTBOX_DESTINATIONS = ["log", "webhook", "broker", "email"]
    return settings


def test_complete_settings_leave_nothing_to_say(good) -> None:
    assert check_outbox() == []


def test_nothing_is_asked_of_what_is_switched_off(good) -> None:
    good.OUTBOX_DESTINATIONS = ["log"]
    good.OUTBOX_WEBHOOK_URL = good.OUTBOX_BROKER_URL = good.EMAIL_URL = "nonsense"

    assert check_outbox() == []


def test_every_destination_is_asked(settings) -> None:
    settings.OUTBOX_DESTINATIONS = ["webhook", "broker", "email"]

    assert {message[:9] for message in ids(check_outbox())} == {"outbox.E0"}
    assert ids(check_outbox()) == [
        "outbox.E010", "outbox.E011", "outbox.E020", "outbox.E030", "outbox.E032",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "is not set"),
        ("hooks.example.org", "is no https address"),
        ("ftp://hooks.example.org", "is no https address"),
        ("https://", "is no https address"),
        ("https://a:b@hooks.example.org", "holds a user"),
        ("https://hooks.example.org/#x", "holds a user or a fragment"),
        ("http://hooks.example.org", "is without TLS"),
        ("https://hooks.example.org:port/", "is no address"),
        ("https://hooks.example.org/\x00", "is no address"),
    ],
)
def test_a_wrong_webhook_address_is_told_without_repeating_it(good, url, said) -> None:
    good.OUTBOX_WEBHOOK_URL = url

    (found,) = WebhookDestination.check()

    assert found.id == "outbox.E010"
    assert said in found.msg
    assert not url or url not in found.msg


def test_http_is_for_trials_and_never_for_production(good) -> None:
    good.OUTBOX_WEBHOOK_URL = "http://127.0.0.1:8080/"
    good.OUTBOX_WEBHOOK_ALLOW_PRIVATE = True
    assert WebhookDestination.check() == []

    good.PRODUCTION = True
    assert ids(WebhookDestination.check()) == ["outbox.E010"]


@pytest.mark.parametrize(
    "secret",
    [
        "open-sesame",
        "whsec_!",
        "whsec_secret!",
        "whsec_" + base64.b64encode(b"short").decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        base64.b64encode(b"k" * 32).decode(),
        f"{SECRET} secret",
        "whsec_" + base64.b64encode(b"k" * 32).decode().rstrip("="),
    ],
)
def test_a_wrong_secret_is_told_without_repeating_it(good, secret) -> None:
    good.OUTBOX_WEBHOOK_SECRET = secret

    (found,) = WebhookDestination.check()

    assert found.id == "outbox.E012"
    assert secret not in found.msg + found.hint


def test_two_secrets_are_taken_while_one_follows_the_other(good) -> None:
    good.OUTBOX_WEBHOOK_SECRET = f"{SECRET} {SECRET}"

    assert WebhookDestination.check() == []


@pytest.mark.parametrize(
    "url", ["broker.example.org", "http://broker.example.org", "amqp://", "amqp://h:port"]
)
def test_a_wrong_broker_address_is_told_without_repeating_it(good, url) -> None:
    good.OUTBOX_BROKER_URL = url

    (found,) = BrokerDestination.check()

    assert found.id == "outbox.E021"
    assert url not in found.msg


@pytest.mark.parametrize("name", ["", "amq.topic", "x" * 128])
def test_an_exchange_needs_a_name_of_its_own(good, name) -> None:
    good.OUTBOX_BROKER_EXCHANGE = name

    assert ids(BrokerDestination.check()) == ["outbox.E022"]


def test_a_mail_server_that_cannot_be_read_is_told_without_repeating_it(good) -> None:
    good.EMAIL_URL, good.EMAIL_URL_READ = "post://cases:pa55@mail", False

    (found,) = EmailDestination.check()

    assert found.id == "outbox.E031"
    assert "pa55" not in found.msg


@pytest.mark.parametrize("sender", ["", "cases", "Cases <cases>", "a@b\nBcc: c@d"])
def test_a_sender_needs_an_address(good, sender) -> None:
    good.DEFAULT_FROM_EMAIL = sender

    assert ids(EmailDestination.check()) == ["outbox.E032"]


@pytest.mark.parametrize(
    "url", ["cases.example.org", "ftp://cases.example.org", "https://", "javascript:x"]
)
def test_links_need_the_address_of_a_page(good, url) -> None:
    good.PUBLIC_URL = url

    assert ids(EmailDestination.check()) == ["outbox.E033"]


@pytest.mark.parametrize("value", ["", "none", "FULL"])
def test_what_is_told_of_restricted_cases_is_one_of_two_things(settings, value) -> None:
    settings.OUTBOX_RESTRICTED = value

    assert ids(discretion.check()) == ["outbox.E004"]
