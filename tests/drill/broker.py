"""A RabbitMQ node of the drill's own, which may be stopped, killed and started as it likes."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import aio_pika

from tests.bench.servers import free_port
from tests.drill.arrivals import Arrival

# Debian's /usr/sbin/rabbitmq-server leads to one place and one account; this does not.
_SERVER: Final = "/usr/lib/rabbitmq/bin/rabbitmq-server"
_UP_SECONDS: Final = 120.0
_END_SECONDS: Final = 30.0
EXCHANGE: Final = "drill"


class Node:
    """One node, its port mapper and its data, all below one folder, all on loopback."""

    def __init__(self, folder: Path) -> None:
        self.port, names = free_port(), free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        self._log = folder / "rabbitmq.log"
        (folder / "plugins").write_text("[].\n")
        (folder / ".erlang.cookie").write_text(secrets.token_hex(16))
        (folder / ".erlang.cookie").chmod(0o400)
        self._environment = os.environ | {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "drill@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        self._names = subprocess.Popen(
            [_program("epmd"), "-port", str(names)], env=self._environment
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the node; it answers some seconds later."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [_program(_SERVER)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until the node takes connections.

        Raises:
            RuntimeError: it does not come up.
        """
        deadline = time.monotonic() + _UP_SECONDS
        while self._process is not None and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=2):
                    return
            except OSError:
                if time.monotonic() > deadline:
                    break
            time.sleep(0.1)
        message = f"RabbitMQ does not come up:\n{self._log.read_text()[-1000:]}"
        raise RuntimeError(message)

    def stop(self, number: signal.Signals) -> None:
        """End the node by a signal: SIGTERM in good order, SIGKILL at once."""
        if self._process is None:
            return
        os.killpg(self._process.pid, number)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """End the node and its port mapper."""
        self.stop(signal.SIGKILL)
        self._names.terminate()
        self._names.wait()

    def bind(self) -> None:
        """Let one durable queue take everything; nobody reads it before the end."""

        async def work(channel: Any) -> None:
            exchange = await channel.declare_exchange(EXCHANGE, "topic", durable=True)
            queue = await channel.declare_queue(EXCHANGE, durable=True)
            await queue.bind(exchange, "#")

        self._with_channel(work)

    def read(self) -> list[Arrival]:
        """Return what lies in the queue, in the order in which it came."""

        async def work(channel: Any) -> list[Arrival]:
            queue = await channel.get_queue(EXCHANGE)
            found = []
            while (message := await queue.get(fail=False, no_ack=True)) is not None:
                found.append(Arrival.of(json.loads(message.body)))
            return found

        found: list[Arrival] = self._with_channel(work)
        return found

    def _with_channel(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            connection = await aio_pika.connect(self.url, timeout=20)
            try:
                return await work(await connection.channel())
            finally:
                await connection.close()

        return asyncio.run(run())


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        message = f"{name} was not found: install RabbitMQ (Debian, Ubuntu: rabbitmq-server)."
        raise RuntimeError(message)
    return found
