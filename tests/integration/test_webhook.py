"""A webhook reaches its receiver as promised, whatever the receiver does."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from outbox.destinations import webhook
from outbox.destinations.base import DELIVERED, Message, Outcome, Result, Unavailable
from outbox.destinations.webhook import WebhookDestination
from tests.integration.messages import restricted
from tests.integration.receiver import Receiver, Request, certificate, raw, receiver, says

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
OTHER = "whsec_" + base64.b64encode(b"fedcba9876543210fedcba9876543210").decode()


@pytest.fixture
def there(settings) -> Iterator[Receiver]:
    """Return a receiver that the settings name."""
    with receiver() as found:
        settings.OUTBOX_WEBHOOK_URL = f"http://127.0.0.1:{found.port}/hooks?token=t0k3n"
        settings.OUTBOX_WEBHOOK_SECRET = SECRET
        settings.OUTBOX_WEBHOOK_ALLOW_PRIVATE = True
        yield found


@pytest.fixture
def destination(there: Receiver) -> Iterator[WebhookDestination]:
    made = WebhookDestination()
    yield made
    made.close()


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Let waiting end soon."""
    monkeypatch.setattr(webhook, "_WHOLE_SECONDS", 0.5)
    monkeypatch.setattr(webhook, "_BODY_SECONDS", 0.2)


def one(destination: WebhookDestination, message: Message | None = None) -> Outcome:
    (outcome,) = destination.deliver([message or restricted()])
    return outcome


# --- What is sent ---------------------------------------------------------------------------------


def test_a_message_is_posted_as_it_stands_and_signed(destination, there) -> None:
    message = restricted(reason="Zoë")

    assert one(destination, message) == DELIVERED

    (request,) = there.got
    assert request.line == "POST /hooks?token=t0k3n HTTP/1.1"
    assert request.body == message.body.encode()
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert request.headers["host"] == f"127.0.0.1:{there.port}"
    assert request.headers["webhook-id"] == message.id
    assert Webhook(SECRET).verify(request.body, request.headers)["id"] == message.id
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(request.body, request.headers)


def test_with_two_secrets_a_receiver_may_know_either(there, settings) -> None:
    settings.OUTBOX_WEBHOOK_SECRET = f"{OTHER} {SECRET}"
    destination = WebhookDestination()

    assert one(destination) == DELIVERED
    destination.close()

    for secret in (SECRET, OTHER):
        Webhook(secret).verify(there.got[0].body, there.got[0].headers)


def test_the_id_stays_the_same_at_each_attempt(destination, there) -> None:
    message = restricted()
    there.answer = says(500)
    one(destination, message)
    there.answer = says(200)
    one(destination, message)

    assert there.ids() == [message.id] * 2


def test_a_message_of_a_megabyte_arrives_whole(destination, there) -> None:
    message = restricted(reason="ä" * 500_000)

    assert one(destination, message) == DELIVERED
    assert there.got[0].body == message.body.encode()


def test_many_cases_are_served_at_once_each_in_order(destination, there) -> None:
    busy, most = [0], [0]

    def answer(connection: socket.socket, request: Request) -> bool:
        with there.lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.02)
        with there.lock:
            busy[0] -= 1
        return says(200)(connection, request)

    there.answer = answer
    messages = [restricted(case, number) for number in range(4) for case in range(20)]

    assert destination.deliver(messages) == [DELIVERED] * 80

    order = {message.id: (message.subject, message.sequence) for message in messages}
    arrived = [order[event_id] for event_id in there.ids()]
    for subject in {subject for subject, _ in arrived}:
        assert [n for case, n in arrived if case == subject] == [0, 1, 2, 3]
    assert most[0] > 10
    assert there.connections <= 32


def test_connections_are_used_again(destination, there) -> None:
    for _ in range(3):
        one(destination)

    assert {request.connection for request in there.got} == {1}


# --- What the answer means ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_counts(destination, there, status) -> None:
    there.answer = says(status)

    assert one(destination) == DELIVERED


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 413, 422, 451, 499])
def test_what_the_receiver_will_never_take_is_not_tried_again(destination, there, status) -> None:
    there.answer = says(status)

    outcome = one(destination)

    assert outcome.result is Result.REFUSED
    assert str(status) in outcome.error


@pytest.mark.parametrize("status", [401, 403, 408, 425, 500, 502, 503, 504, 599, 600])
def test_what_may_be_better_later_is_tried_again(destination, there, status) -> None:
    there.answer = says(status, "Retry-After: 120")

    outcome = one(destination)

    assert outcome.result is Result.FAILED
    assert outcome.retry_after == 120
    assert str(status) in outcome.error


def test_too_many_requests_pause_the_whole_destination(destination, there) -> None:
    there.answer = says(429, "Retry-After: 7")

    outcomes = destination.deliver([restricted(case) for case in range(200)])

    assert {outcome.result for outcome in outcomes} == {Result.UNTRIED}
    assert {outcome.retry_after for outcome in outcomes} == {7}
    assert len(there.got) <= 32


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("5", 5), ("99999999999999999999", 3600), ("-5", None), ("1e9", None), ("soon", None),
     ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("٣", None), ("", None)],
)  # fmt: skip
def test_retry_after_is_taken_in_bounds(header, seconds) -> None:
    assert webhook.outcome_of(503, header).retry_after == seconds


def test_redirects_are_not_followed(destination, there) -> None:
    with receiver() as elsewhere:
        there.answer = says(307, f"Location: http://127.0.0.1:{elsewhere.port}/")

        outcome = one(destination)

        assert (outcome.result, elsewhere.got) == (Result.FAILED, [])
        assert "redirects are not followed" in outcome.error


def test_a_case_ends_with_its_first_failure_and_others_go_on(destination, there) -> None:
    messages = [restricted(1, 0), restricted(2, 0), restricted(1, 1), restricted(2, 1)]
    there.answer = lambda connection, request: says(
        500 if request.headers["webhook-id"] == messages[0].id else 200
    )(connection, request)

    outcomes = destination.deliver(messages)

    assert [outcome.result for outcome in outcomes] == [
        Result.FAILED, Result.DELIVERED, Result.UNTRIED, Result.DELIVERED,
    ]  # fmt: skip
    assert messages[2].id not in there.ids()


# --- Receivers that lie, hang and break -----------------------------------------------------------


def test_a_yes_with_garbage_is_a_yes(destination, there) -> None:
    there.answer = says(200, "Content-Type: application/json", body=b"\xff\x00{{{ <html>")

    assert one(destination) == DELIVERED


def test_a_yes_that_promises_more_than_it_sends_is_a_yes(destination, there, impatient) -> None:
    there.answer = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    assert one(destination) == DELIVERED


def test_an_endless_answer_is_not_read_to_its_end(destination, there) -> None:
    sent = []

    def answer(connection: socket.socket, request: Request) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while len(sent) < 100_000:
            connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            sent.append(4096)
        return False

    there.answer = answer

    assert one(destination) == DELIVERED
    time.sleep(0.2)
    assert len(sent) < 10_000


@pytest.mark.parametrize(
    "data",
    [b"", b"220 mail.example.org ESMTP\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200", b"\x15\x03"],
    ids=["nothing", "another protocol", "no status", "half a line", "TLS"],
)
def test_what_is_no_answer_is_a_failure(destination, there, data) -> None:
    there.answer = raw(data)

    outcome = one(destination)

    assert outcome.result is Result.FAILED
    assert outcome.error.startswith("The connection broke")


def test_headers_without_end_are_a_failure(destination, there) -> None:
    there.answer = raw(b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * 20_000)

    assert one(destination).result is Result.FAILED


def test_silence_ends_by_a_time_out(destination, there, impatient) -> None:
    there.answer = says(200, seconds=2)

    began = time.monotonic()
    outcome = one(destination)

    assert (outcome.result, outcome.error) == (
        Result.FAILED,
        "The receiver did not answer in time.",
    )
    assert time.monotonic() - began < 1.5


def test_an_answer_that_drips_ends_by_a_time_out(destination, there, impatient) -> None:
    def answer(connection: socket.socket, request: Request) -> bool:
        for byte in b"HTTP/1.1 200 OK\r\n\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.1)
        return False

    there.answer = answer

    began = time.monotonic()
    assert one(destination).result is Result.FAILED
    assert time.monotonic() - began < 1.5


def test_a_body_that_drips_holds_nobody_up(destination, there, impatient) -> None:
    def answer(connection: socket.socket, request: Request) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(30):
            connection.sendall(b"x")
            time.sleep(0.1)
        return False

    there.answer = answer

    began = time.monotonic()
    assert one(destination) == DELIVERED
    assert time.monotonic() - began < 1.5


def test_a_receiver_that_is_not_there_is_no_attempt(destination, there, settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    settings.OUTBOX_WEBHOOK_URL = f"http://127.0.0.1:{port}/"
    other = WebhookDestination()

    outcomes = other.deliver([restricted(case) for case in range(100)])
    other.close()

    assert set(outcomes) == {outcomes[0]}
    assert outcomes[0].result is Result.UNTRIED
    assert outcomes[0].error == "No connection: Connection refused."


def test_a_receiver_that_comes_back_is_served_again(destination, there) -> None:
    there.answer = raw(b"")
    assert one(destination).result is Result.FAILED
    there.answer = says(204)

    assert one(destination) == DELIVERED


def test_a_batch_to_a_slow_receiver_ends_in_time(destination, there, monkeypatch) -> None:
    monkeypatch.setattr(webhook, "_BEGIN_SECONDS", 0.3)
    there.answer = says(200, seconds=0.2)

    outcomes = destination.deliver([restricted(1, number) for number in range(20)])

    results = [outcome.result for outcome in outcomes]
    assert results == sorted(results, key=lambda result: result is Result.UNTRIED)
    assert 1 <= results.count(Result.DELIVERED) <= 5
    assert results.count(Result.UNTRIED) == 20 - results.count(Result.DELIVERED)


def test_no_error_tells_the_secret_or_the_address_in_full(destination, there, caplog) -> None:
    errors = []
    for answer in (says(500), says(410), raw(b""), says(302), raw(b"HTTP/9 \x00\r\n\r\n")):
        there.answer = answer
        errors.append(one(destination).error)

    told = " ".join(errors) + caplog.text
    assert all(0 < len(error) < 200 and error.isprintable() for error in errors)
    assert "t0k3n" not in told
    assert SECRET.removeprefix("whsec_") not in told


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def by_tls(tmp_path, settings, monkeypatch):
    """Return what makes a destination for a receiver with a certificate for these names."""
    made: list[WebhookDestination] = []

    def destination(found: Receiver, chain, *, host: str = "localhost", trusted: bool = True):
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        settings.OUTBOX_WEBHOOK_URL = f"https://{host}:{found.port}/"
        settings.OUTBOX_WEBHOOK_SECRET = SECRET
        settings.OUTBOX_WEBHOOK_ALLOW_PRIVATE = True
        made.append(WebhookDestination())
        return made[-1]

    yield destination
    for one_made in made:
        one_made.close()


def test_a_certificate_of_the_host_s_name_is_taken(by_tls, tmp_path) -> None:
    names: list[str | None] = []
    context, chain = certificate(tmp_path, "localhost")
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    with receiver(tls=context) as found:
        assert one(by_tls(found, chain)) == DELIVERED
        assert names == ["localhost"]
        assert found.got[0].headers["host"] == f"localhost:{found.port}"


@pytest.mark.parametrize(
    ("name", "trusted", "said"),
    [("elsewhere.example", True, "mismatch"), ("localhost", False, "self-signed")],
    ids=["another's", "nobody's"],
)
def test_a_certificate_that_proves_nothing_ends_it(by_tls, tmp_path, name, trusted, said) -> None:
    context, chain = certificate(tmp_path, name)
    with receiver(tls=context) as found:
        outcome = one(by_tls(found, chain, trusted=trusted))

        assert outcome.result is Result.UNTRIED
        assert "the certificate is not valid" in outcome.error
        assert said in outcome.error.lower()
        assert found.got == []


def test_a_receiver_without_tls_gets_nothing(by_tls, tmp_path) -> None:
    _, chain = certificate(tmp_path, "localhost")
    with receiver() as found:
        found.greeting = b"HTTP/1.1 400 Speak plainly\r\n\r\n"

        outcome = one(by_tls(found, chain))

        assert outcome.result is Result.UNTRIED
        assert found.got == []


# --- Where it goes --------------------------------------------------------------------------------


def test_private_addresses_are_refused_before_anything_is_sent(there, settings) -> None:
    settings.OUTBOX_WEBHOOK_ALLOW_PRIVATE = False
    destination = WebhookDestination()

    with pytest.raises(Unavailable, match="OUTBOX_WEBHOOK_ALLOW_PRIVATE is not set"):
        destination.deliver([restricted()])
    destination.close()

    assert there.connections == 0


def test_a_name_that_changes_its_address_leads_to_the_one_that_was_checked(
    there, settings, monkeypatch
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host, port, *args, **kwargs):
        if host != "hooks.example.org":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    settings.OUTBOX_WEBHOOK_URL = f"http://hooks.example.org:{there.port}/"
    with receiver("127.0.0.2", port=there.port) as inside:
        destination = WebhookDestination()
        outcomes = destination.deliver([restricted(case) for case in range(40)])
        destination.close()

        assert outcomes == [DELIVERED] * 40
        assert len(there.got) == 40
        assert (len(asked), inside.connections) == (1, 0)


def test_an_address_that_does_not_answer_gives_way_to_the_next(
    there, settings, monkeypatch
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **kwargs: [
            entry
            for address in (["127.0.0.3", "127.0.0.1"] if host == "hooks.example.org" else [host])
            for entry in real(address, *args, **kwargs)
        ],
    )
    settings.OUTBOX_WEBHOOK_URL = f"http://hooks.example.org:{there.port}/"
    destination = WebhookDestination()

    assert one(destination) == DELIVERED
    destination.close()


def test_a_name_that_nobody_knows_is_no_attempt(there, settings, monkeypatch) -> None:
    def unknown(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    settings.OUTBOX_WEBHOOK_URL = "http://nowhere.invalid/"
    destination = WebhookDestination()
    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(Unavailable, match=r"nowhere\.invalid could not be looked up"):
        destination.deliver([restricted()])
    destination.close()


def test_proxies_of_the_environment_are_not_used(destination, there, monkeypatch) -> None:
    with receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")

        assert one(destination) == DELIVERED
        assert proxy.connections == 0


def test_closing_ends_the_thread_and_the_connections(there) -> None:
    destination = WebhookDestination()
    one(destination)
    assert "webhook" in {thread.name for thread in threading.enumerate()}

    destination.close()

    assert "webhook" not in {thread.name for thread in threading.enumerate()}
