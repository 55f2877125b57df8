"""The form of an anchor and of its leaves, format 1. Plain Python."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from audit import merkle
from audit.signed_note import NoteError, PublicKey, opened

FORMAT: Final = 1
_LINES: Final = re.compile(
    r"(?P<name>\S+)/(?P<number>[1-9][0-9]*)\n"
    r"(?P<chains>0|[1-9][0-9]*)\n"
    r"(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"events (?P<events>0|[1-9][0-9]*)\n"
    r"time (?P<time>[0-9T:.-]+Z)\n"
    r"previous (?P<previous>none|[A-Za-z0-9+/]{43}=)\n"
)


class Head(NamedTuple):
    """The last event of a chain, as far as an anchor covers it."""

    case_id: str
    sequence: int
    hash: bytes

    def leaf(self) -> bytes:
        """Return the leaf that stands for the chain: canonical JSON (RFC 8785)."""
        content = {
            "case_id": self.case_id,
            "format": FORMAT,
            "hash": self.hash.hex(),
            "sequence": self.sequence,
        }
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)

    def leaf_hash(self) -> bytes:
        """Return the hash of the leaf, 32 bytes."""
        return merkle.leaf_hash(self.leaf())


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What an anchor states. It is written as a tlog checkpoint (C2SP) with three more lines.

    ``previous`` is the SHA-256 of the text of the anchor before, empty for the first one; ``time``
    is RFC 3339, UTC.
    """

    name: str
    number: int
    chains: int
    root: bytes
    events: int
    time: str
    previous: bytes = b""

    def text(self) -> str:
        """Return the text that is signed."""
        previous = base64.b64encode(self.previous).decode() if self.previous else "none"
        return (
            f"{self.name}/{self.number}\n{self.chains}\n{base64.b64encode(self.root).decode()}\n"
            f"events {self.events}\ntime {self.time}\nprevious {previous}\n"
        )

    def digest(self) -> bytes:
        """Return what the next anchor states as ``previous``, 32 bytes."""
        return hashlib.sha256(self.text().encode()).digest()

    @classmethod
    def parse(cls, text: str) -> Statement:
        """Read the text of an anchor. Raises NoteError: it is none."""
        found = _LINES.fullmatch(text)
        if found is None:
            message = "This is no anchor: it states no number, count, root, events and time."
            raise NoteError(message)
        try:
            root = base64.b64decode(found["root"], validate=True)
            previous = base64.b64decode("" if found["previous"] == "none" else found["previous"])
        except binascii.Error as error:
            message = f"This is no anchor: {error}."
            raise NoteError(message) from None
        return cls(
            name=found["name"],
            number=int(found["number"]),
            chains=int(found["chains"]),
            root=root,
            events=int(found["events"]),
            time=found["time"],
            previous=previous,
        )


def read_anchor(note: str, key: PublicKey) -> Statement:
    """Return what an anchor states, once the key has been seen to have signed it.

    Raises:
        NoteError: it is not signed by the key, or is no anchor.
    """
    statement = Statement.parse(opened(note, key))
    if statement.name != key.name:
        message = f"The anchor is one of {statement.name}, but the key is one of {key.name}."
        raise NoteError(message)
    return statement
