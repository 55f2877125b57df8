"""Signed notes (C2SP signed-note, Ed25519) and their keys. Plain Python, no Django.

A note is a text that ends in a line break, an empty line, and a line for each signature. Keys are
texts of one line, in the form that Go's ``sumdb/note`` made common, so that other tools read them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

_ED25519: Final = b"\x01"
_PRIVATE: Final = "PRIVATE+KEY+"
_DASH: Final = "\N{EM DASH} "
_KEY_SIZE: Final = 32
_LARGEST: Final = 1_000_000  # bytes; a note of ours has some 300
_MOST_SIGNATURES: Final = 100


class NoteError(ValueError):
    """A key or a note that is none, or is not signed as it should be; the text says why."""


@dataclass(frozen=True)
class PublicKey:
    """Who signs: a name and 32 bytes, written ``name+id+base64``."""

    name: str
    raw: bytes

    @property
    def id(self) -> bytes:
        """The four bytes by which a signature tells its key."""
        content = self.name.encode() + b"\n" + _ED25519 + self.raw
        return hashlib.sha256(content).digest()[:4]

    def __str__(self) -> str:
        data = base64.b64encode(_ED25519 + self.raw).decode()
        return f"{self.name}+{self.id.hex()}+{data}"

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read a key from its line. Raises NoteError."""
        if text.startswith(_PRIVATE):
            message = "This is a private key: the public one has no PRIVATE+KEY+ in front."
            raise NoteError(message)
        key = cls(*_parts(text.strip()))
        if text.strip() != str(key):
            message = "The id of the public key is not that of its name and its bytes."
            raise NoteError(message)
        return key


@dataclass(frozen=True)
class SigningKey:
    """What signs: a name and a secret of 32 bytes, written ``PRIVATE+KEY+name+id+base64``."""

    name: str
    secret: bytes

    def __repr__(self) -> str:
        return f"<SigningKey of {self.name}>"

    @property
    def public(self) -> PublicKey:
        """The key that checks what this one signed."""
        private = Ed25519PrivateKey.from_private_bytes(self.secret)
        return PublicKey(self.name, private.public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        """The line that is kept secret."""
        data = base64.b64encode(_ED25519 + self.secret).decode()
        return f"{_PRIVATE}{self.name}+{self.public.id.hex()}+{data}"

    @classmethod
    def generate(cls, name: str) -> SigningKey:
        """Make a new key. Raises NoteError: the name is none that a key can have."""
        _check_name(name)
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Read a key from its line; errors never quote it. Raises NoteError."""
        line = text.strip()
        if not line.startswith(_PRIVATE):
            message = f"A private key begins with {_PRIVATE}."
            raise NoteError(message)
        key = cls(*_parts(line.removeprefix(_PRIVATE)))
        if key.text != line:
            message = "The id of the private key is not that of its name and its bytes."
            raise NoteError(message)
        return key

    def sign(self, text: str) -> str:
        """Return the note: the text, and a line with the signature.

        Raises:
            NoteError: the text is none that can be signed.
        """
        if not text.endswith("\n") or any(ord(sign) < ord(" ") for sign in text if sign != "\n"):
            message = "A text to be signed ends in a line break and has no control characters."
            raise NoteError(message)
        signature = Ed25519PrivateKey.from_private_bytes(self.secret).sign(text.encode())
        data = base64.b64encode(self.public.id + signature).decode()
        return f"{text}\n{_DASH}{self.name} {data}\n"


def opened(note: str, key: PublicKey) -> str:
    """Return the text of a note that the key has signed; signatures of others do not matter.

    Raises:
        NoteError: it is no note, or the key has not signed it, or its signature is wrong.
    """
    text, separator, rest = note.rpartition("\n\n")
    lines = rest.splitlines()
    if len(note) > _LARGEST or not separator or not rest.endswith("\n") or not lines:
        message = "This is no signed note: a text, an empty line, and signatures."
        raise NoteError(message)
    text += "\n"
    for line in lines[:_MOST_SIGNATURES]:
        name, _, data = line.removeprefix(_DASH).partition(" ")
        signature = _decoded(data)
        if not line.startswith(_DASH) or len(signature) <= len(key.id):
            message = f"This is no line with a signature: {line[:80]!r}."
            raise NoteError(message)
        if name == key.name and signature[:4] == key.id:
            try:
                public = Ed25519PublicKey.from_public_bytes(key.raw)
                public.verify(signature[4:], text.encode())
            except InvalidSignature:
                message = f"The signature of {key.name} is wrong: the text is not what was signed."
                raise NoteError(message) from None
            return text
    signers = ", ".join(sorted({line.removeprefix(_DASH).split(" ")[0] for line in lines}))
    message = f"The key {key.name}+{key.id.hex()} has not signed this; it is signed by {signers}."
    raise NoteError(message)


def _parts(text: str) -> tuple[str, bytes]:
    name, _, rest = text.partition("+")
    _, _, data = rest.partition("+")
    _check_name(name)
    raw = _decoded(data)
    if len(raw) != 1 + _KEY_SIZE or raw[:1] != _ED25519:
        message = "A key is name+id+data, the data being base64 of an Ed25519 key of 32 bytes."
        raise NoteError(message)
    return name, raw[1:]


def _check_name(name: str) -> None:
    if not name or "+" in name or any(sign.isspace() or not sign.isprintable() for sign in name):
        message = "The name of a key has no spaces and no plus; best it is like an address."
        raise NoteError(message)


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return b""
