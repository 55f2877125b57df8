"""OpenID Connect issuers on loopback: one of our own that can misbehave, and a real provider."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.api.server import free_port

AUDIENCE = "cases-api"
CLIENT = {"OIDC_CLIENT_ID": "back-office", "OIDC_CLIENT_SECRET": "known-to-two"}


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(key: Any, kid: str | None, **more: Any) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    found = algorithm.to_jwk(key.public_key(), as_dict=True)
    return found | ({"kid": kid} if kid else {}) | more


class Issuer:
    """An issuer whose keys and claims the test decides."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.signing = {"first": rsa_key()}
        self.jwks: Any = {"keys": [public_jwk(rsa_key(), "first")]}
        self.document: dict[str, Any] = {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
        }
        self.asked: Counter[str] = Counter()
        self.broken: dict[str, tuple[int, bytes]] = {}
        self.person: dict[str, Any] = {"sub": "rob", "roles": ["reviewer"]}
        self.in_id_token: dict[str, Any] = {}
        self.begun: dict[str, dict[str, str]] = {}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return good claims; a change to None leaves one out."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "iat": now, "exp": now + 300, **self.person}
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(self, *, kid: str | None = "first", algorithm: str = "RS256", **changes: Any) -> str:
        """Return a token that it signed."""
        headers = {"kid": kid} if kid else {}
        key: Any = self.signing[kid or "first"]
        return jwt.encode(self.claims(**changes), key, algorithm=algorithm, headers=headers)

    def add_key(self, kid: str) -> None:
        """Sign with a new key from now on; the old one is no longer named."""
        self.signing[kid] = ec.generate_private_key(ec.SECP256R1())
        self.jwks = {"keys": [public_jwk(self.signing[kid], kid)]}

    def answer(self, path: str, query: dict[str, str], body: dict[str, str], auth: str) -> Any:
        """Return what stands at an address: a JSON value, or an address to go to."""
        if path == "/.well-known/openid-configuration":
            return self.document
        if path == "/keys":
            return self.jwks
        if path == "/authorize":
            code = f"code-{len(self.begun)}"
            self.begun[code] = query
            return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
        if path == "/token":
            return self._exchange(self.begun.pop(body["code"]), body)
        if path == "/userinfo" and auth == "Bearer opened":
            return self.person
        return None

    def _exchange(self, begun: dict[str, str], body: dict[str, str]) -> Any:
        digest = hashlib.sha256(body["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert (begun["code_challenge_method"], begun["code_challenge"]) == ("S256", challenge)
        assert begun["redirect_uri"] == body["redirect_uri"]
        assert (body["client_id"], body["client_secret"]) == tuple(CLIENT.values())
        claims = {"aud": body["client_id"], "nonce": begun["nonce"], "roles": None}
        if "max_age" in begun:
            claims["auth_time"] = int(time.time())
        return {"access_token": "opened", "id_token": self.token(**claims | self.in_id_token)}


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    """Run an issuer of our own on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            issuer.asked[address.path] += 1
            length = int(self.headers.get("Content-Length", 0))
            form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
            query = {k: v[0] for k, v in parse_qs(address.query).items()}
            status, content = issuer.broken.get(address.path, (0, b""))
            found = None
            if not status:
                auth = self.headers.get("Authorization", "")
                found = issuer.answer(address.path, query, form, auth)
                status = 404 if found is None else 302 if isinstance(found, str) else 200
                content = json.dumps(found).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", str(found or content.decode()))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 (http.server looks for this name)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = Issuer(server.server_port)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


def visit(url: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Ask an address as a browser would; return status, the address it leads to, and the body."""
    parts = urlsplit(url)
    browser = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        path = f"{parts.path}?{parts.query}"
        if form is None:
            browser.request("GET", path)
        else:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            browser.request("POST", path, urlencode(form), headers)
        answer = browser.getresponse()
        return answer.status, answer.headers.get("Location", ""), answer.read().decode()
    finally:
        browser.close()


@contextmanager
def running_provider(*people: dict[str, Any]) -> Iterator[str]:
    """Run oidc-provider-mock as a process of its own; yield its identifier as issuer."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    for person in people:
        command += ["--user-claims", json.dumps(person)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + 30
        while True:
            assert process.poll() is None, "the provider ended"
            try:
                if visit(f"{url}/.well-known/openid-configuration")[0] == 200:
                    break
            except OSError:
                assert time.monotonic() < end, "the provider does not answer"
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(10)
