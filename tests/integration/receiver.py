"""A receiver of webhooks on loopback that can be told to misbehave in every way."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Request:
    """What came in."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


# Gets the socket and the request; returns whether the connection stays.
Answer = Callable[[socket.socket, Request], bool]


def says(status: int, *headers: str, body: bytes = b"", seconds: float = 0) -> Answer:
    """Return what answers with a status, after some seconds."""
    head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    raw = "\r\n".join(head).encode() + b"\r\n\r\n" + body

    def answer(connection: socket.socket, request: Request) -> bool:
        time.sleep(seconds)
        connection.sendall(raw)
        return True

    return answer


def raw(data: bytes) -> Answer:
    """Return what writes these bytes and hangs up."""

    def answer(connection: socket.socket, request: Request) -> bool:
        connection.sendall(data)
        return False

    return answer


@dataclass
class Receiver:
    """The server: what it got, and how it answers the next request."""

    port: int
    answer: Answer = field(default_factory=lambda: says(204))
    greeting: bytes = b""  # said at once, before a hang-up, by who speaks another protocol
    got: list[Request] = field(default_factory=list)
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.got]

    def serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.greeting:
                connection.sendall(self.greeting)
                return
            with connection.makefile("rb") as stream:
                while line := stream.readline().decode("latin-1").strip():
                    headers = {}
                    while text := stream.readline().decode("latin-1").strip():
                        name, _, value = text.partition(":")
                        headers[name.lower()] = value.strip()
                    body = stream.read(int(headers.get("content-length", 0)))
                    request = Request(line, headers, body, number)
                    with self.lock:
                        self.got.append(request)
                    if not self.answer(connection, request):
                        return


@contextmanager
def receiver(
    host: str = "127.0.0.1", *, port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Run a receiver until the end of the block; with TLS where a context is given."""
    with socket.create_server((host, port), backlog=128) as server:
        found, ended = Receiver(server.getsockname()[1]), threading.Event()

        def accept() -> None:
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                found.connections += 1
                threading.Thread(
                    target=handle, args=(connection, found.connections), daemon=True
                ).start()

        def handle(connection: socket.socket, number: int) -> None:
            try:
                served = tls.wrap_socket(connection, server_side=True) if tls else connection
            except OSError:
                connection.close()
                return
            found.serve(served, number)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS with a certificate of its own making, and the file to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives = [
        x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        for name in names
    ]
    at = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "certificate.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    return context, chain
