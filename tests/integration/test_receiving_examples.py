"""What the how-tos tell consumers to write works against the service as it is."""

from __future__ import annotations

import asyncio
import base64
import re
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from outbox.destinations.base import DELIVERED, Result
from outbox.destinations.broker import BrokerDestination
from outbox.destinations.webhook import WebhookDestination
from tests.integration.messages import restricted
from tests.integration.rabbitmq import BROKER, Bench, insist_on_a_broker

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def example(page: str) -> ModuleType:
    """Return the one Python program of a page, as a module."""
    (program,) = re.findall(r"```python\n(.+?)```", (HOW_TO / page).read_text(), re.DOTALL)
    module = ModuleType("example")
    exec(compile(program, page, "exec"), vars(module))
    return module


@pytest.fixture
def served(settings, monkeypatch) -> Iterator[ModuleType]:
    """Return the receiver of the page, while it serves what the settings name."""
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    module = example("receive-webhooks.md")
    with ThreadingHTTPServer(("127.0.0.1", 0), module.Receiver) as server:
        module.Receiver.log_message = lambda *args: None
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        settings.OUTBOX_WEBHOOK_URL = f"http://127.0.0.1:{server.server_port}/"
        settings.OUTBOX_WEBHOOK_SECRET = SECRET
        settings.OUTBOX_WEBHOOK_ALLOW_PRIVATE = True
        yield module
        server.shutdown()
        thread.join()


def deliver(*messages):
    destination = WebhookDestination()
    try:
        return destination.deliver(messages)
    finally:
        destination.close()


def test_the_receiver_of_the_page_takes_what_is_signed_and_drops_repeats(served, capsys) -> None:
    message = restricted()

    assert deliver(message) == [DELIVERED]
    assert deliver(message) == [DELIVERED]

    assert served.seen == {message.id}
    assert capsys.readouterr().out == f"CASE-000001 0000000000 {message.type}\n"


def test_the_receiver_of_the_page_refuses_what_another_signed(served, settings) -> None:
    settings.OUTBOX_WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"y" * 32).decode()

    (outcome,) = deliver(restricted())

    assert (outcome.result, outcome.error) == (
        Result.FAILED,
        "The receiver answered 401 Unauthorized.",
    )
    assert served.seen == set()


def test_the_consumer_of_the_page_gets_each_case_in_order(settings) -> None:
    insist_on_a_broker()
    module, bench, got = example("use-rabbitmq.md"), Bench(), []
    settings.OUTBOX_BROKER_URL, settings.OUTBOX_BROKER_EXCHANGE = str(BROKER), bench.exchange
    bench.bind()
    messages = [restricted(case, number) for number in range(3) for case in (1, 2)]

    def handle(message) -> bool:
        got.append((message["subject"], message["sequence"]))
        return len(got) < len(messages)

    destination = BrokerDestination()
    try:
        assert destination.deliver(messages) == [DELIVERED] * 6
        asyncio.run(
            asyncio.wait_for(module.consume(str(BROKER), bench.exchange, bench.queue, handle), 10)
        )
    finally:
        destination.close()
        bench.delete()

    assert [n for case, n in got if case == "CASE-000001"] == [f"{n:010d}" for n in range(3)]
    assert len(got) == 6
