"""nginx with the configuration that docs/deployment.md shows, in front of a server of a test's."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.api.server import PATIENCE, Answer, free_port
from tests.starts import PROJECT

HOST = "cases.example.org"
# What the documented lines say, and what it is here. Each must be there.
_ELSEWHERE = {
    "127.0.0.1:8000 ": "127.0.0.1:{server} ",
    "listen 80;": "listen 127.0.0.1:{plain};",
    "listen 443 ssl;": "listen 127.0.0.1:{port} ssl;",
    "/etc/ssl/cases.pem;": "{folder}/cases.pem;",
    "/etc/ssl/private/cases.key;": "{folder}/cases.key;",
}
# Its workers read the files of this test; without root's rights they are whoever started it anyway.
_USER = "user root;" if os.geteuid() == 0 else ""
_AROUND = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {block}
}}
"""


def documented() -> str:
    """Return nginx's configuration as the documentation has it."""
    page = (PROJECT / "docs" / "deployment.md").read_text()
    [block] = re.findall(r"^```nginx\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return str(block)


def insist_on_nginx() -> str:
    """Skip where there is no nginx; on a machine that should have one, fail."""
    if found := shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"):
        return found
    reason = "No nginx on this machine (Debian: nginx-light); CI insists on it."
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Proxy:
    """Where it listens, with TLS and without."""

    def __init__(self, folder: Path, server: int) -> None:
        self.folder = folder
        self.port, self.plain = free_port(), free_port()
        block = documented()
        for theirs, ours in _ELSEWHERE.items():
            assert theirs in block, theirs
            places = {"server": server, "port": self.port, "plain": self.plain, "folder": folder}
            block = block.replace(theirs, ours.format(**places))
        self.file = folder / "nginx.conf"
        self.file.write_text(_AROUND.format(folder=folder, block=block, user=_USER))

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        tls: bool = True,
        source: str = "127.0.0.1",
    ) -> Answer:
        """Send one request from an address of this machine's own network."""
        caller: http.client.HTTPConnection
        options = {"timeout": PATIENCE, "source_address": (source, 0)}
        if tls:
            context = ssl.create_default_context(cafile=self.folder / "cases.pem")
            context.check_hostname = False  # it is asked by its number
            caller = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, **options)
        else:
            caller = http.client.HTTPConnection("127.0.0.1", self.plain, **options)
        try:
            caller.request(method, path, body, {"Host": HOST, **(headers or {})})
            answer = caller.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            caller.close()


def _certify(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "cases.pem").write_bytes(certificate.public_bytes(encoding))
    form, nothing = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "cases.key").write_bytes(key.private_bytes(encoding, form, nothing))


@contextmanager
def running_proxy(folder: Path, server: int) -> Iterator[Proxy]:
    """Run nginx in front of the server on this port until the block ends."""
    program = insist_on_nginx()
    _certify(folder)
    proxy = Proxy(folder, server)
    command = [program, "-e", str(folder / "error.log"), "-c", str(proxy.file)]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    assert "[warn]" not in tried.stderr
    process = subprocess.Popen(command)
    try:
        end = time.monotonic() + PATIENCE
        while not _listens(proxy.port):
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        yield proxy
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
