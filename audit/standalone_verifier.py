#!/usr/bin/env python3
"""Verify an exported audit trail and an anchor of it. One file, nothing but Python 3.11 or newer.

    python standalone_verifier.py export.jsonl
    python standalone_verifier.py export.jsonl --anchor anchor.txt --heads heads.txt --key KEY
    python standalone_verifier.py export.jsonl --proof case.tlog-proof --key KEY

It trusts neither the service that wrote the export nor whoever runs it: every hash is computed
anew, and signatures are checked with the public key that you were given before. It keeps one case
in memory, however long the export is. docs/reference/audit-format.md and docs/reference/anchors.md
describe the formats. Exit codes: 0 nothing was found, 1 something was, 2 usage.
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

NAMES = frozenset(
    (
        *("id", "case_id", "sequence", "event_type", "actor_id", "occurred_at", "recorded_at"),
        *("request_id", "details", "previous_hash", "hash"),
    )
)
GENESIS = bytes(32)
LONGEST_NOTE = 1_000_000  # characters
DASH = "\N{EM DASH} "


class Wrong(Exception):
    """What was given is not what it must be; the text says why."""


# --- The chain ----------------------------------------------------------------------------------


def content_hash(event: dict[str, Any]) -> bytes:
    """Return the SHA-256 of an event's canonical content (RFC 8785), format 1."""
    content = {
        "actor_id": event["actor_id"],
        "case_id": event["case_id"],
        "details": event["details"],
        "event_id": event["id"],
        "event_type": event["event_type"],
        "format": 1,
        "occurred_at": event["occurred_at"],
        "recorded_at": event["recorded_at"],
        "request_id": event["request_id"],
        "sequence": event["sequence"],
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class Head(NamedTuple):
    """A case, the number of an event of it, and that event's hash."""

    case_id: str
    sequence: int
    hash: bytes

    def leaf_hash(self) -> bytes:
        """Return the hash of the leaf that stands for it in an anchor's tree."""
        name = json.dumps(self.case_id, ensure_ascii=False)
        rest = f'"format":1,"hash":"{self.hash.hex()}","sequence":{self.sequence}'
        leaf = f'{{"case_id":{name},{rest}}}'
        return hashlib.sha256(b"\0" + leaf.encode()).digest()


class Findings:
    """Says what is wrong, a line each, and counts."""

    def __init__(self, output: TextIO) -> None:
        self.output, self.count = output, 0

    def add(self, message: str, case_id: str = "", sequence: int | None = None) -> None:
        """Say it."""
        self.count += 1
        where = case_id + ("" if sequence is None else f", event {sequence}")
        self.output.write(f"{where}: {message}\n" if where else f"{message}\n")


class Trail:
    """Goes through an export, event by event; keeps one case and no more."""

    def __init__(self, lines: TextIO, findings: Findings, *, partial: bool) -> None:
        self.lines, self.findings, self.partial = lines, findings, partial
        self.events = self.cases = 0
        self.last: Head | None = None

    def heads(self) -> Iterator[Head]:
        """Yield every event as a head, checked against the one before it."""
        for number, line in enumerate(self.lines, start=1):
            try:
                event = json.loads(line, parse_constant=_refuse, object_pairs_hook=_unique)
                if not isinstance(event, dict) or not event.keys() >= NAMES:
                    raise Wrong("it lacks names that an event has")
                head = self._checked(event)
            except (ValueError, TypeError, RecursionError, Wrong) as error:
                self.findings.add(f"line {number} is no event: {error}")
                continue
            self.events += 1
            self.last = head
            yield head

    def _checked(self, event: dict[str, Any]) -> Head:
        case_id, sequence = event["case_id"], event["sequence"]
        if not isinstance(case_id, str) or type(sequence) is not int:
            raise Wrong("its case or its number is of another type")
        previous, stored = bytes.fromhex(event["previous_hash"]), bytes.fromhex(event["hash"])
        computed = hashlib.sha256(previous + content_hash(event)).digest()
        if computed != stored:
            self.findings.add(
                "its hash is not that of its content: it was changed", case_id, sequence
            )
        self._follows(case_id, sequence, previous)
        return Head(case_id, sequence, stored)

    def _follows(self, case_id: str, sequence: int, previous: bytes) -> None:
        last, add = self.last, self.findings.add
        if last is None or last.case_id != case_id:
            self.cases += 1
            # By bytes, as the export sorts: so a case that comes twice is seen with no memory.
            if last is not None and case_id.encode() < last.case_id.encode():
                add("it is not in the order of the cases: events of it may stand apart", case_id)
            if sequence == 0 and previous != GENESIS:
                add("the first event follows another one", case_id, sequence)
            if sequence != 0 and not self.partial:
                add(f"the events before number {sequence} are missing", case_id, sequence)
        elif sequence == last.sequence + 1:
            if previous != last.hash:
                add("it does not follow the event before it", case_id, sequence)
        elif sequence <= last.sequence:
            add(f"it comes after event {last.sequence}", case_id, sequence)
        elif not self.partial:
            missing = f"{last.sequence + 1} to {sequence - 1}"
            add(f"the events {missing} are missing before it", case_id, sequence)


def _refuse(name: str) -> None:
    raise Wrong(f"{name} is no number in JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that comes twice: one reader would take the first, another one the last."""
    named = dict(pairs)
    if len(named) != len(pairs):
        raise Wrong("a name comes twice")
    return named


# --- The tree (RFC 6962, RFC 9162) --------------------------------------------------------------


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over two hashes."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """The root over leaves that come one by one; keeps one hash per level."""

    def __init__(self) -> None:
        self.size = 0
        self._pending: list[tuple[int, bytes]] = []

    def add(self, leaf_hash: bytes) -> None:
        """Take the next leaf."""
        self.size += 1
        size, node = 1, leaf_hash
        while self._pending and self._pending[-1][0] == size:
            node = node_hash(self._pending.pop()[1], node)
            size *= 2
        self._pending.append((size, node))

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self._pending:
            return hashlib.sha256(b"").digest()
        _, node = self._pending[-1]
        for _, left in reversed(self._pending[:-1]):
            node = node_hash(left, node)
        return node


def root_from_path(leaf_hash: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a proof leads to. Raises Wrong: it is none for this leaf and size."""
    if not 0 <= index < size:
        raise Wrong(f"there is no leaf {index} among {size}")
    node, place, last = leaf_hash, index, size - 1
    for sibling in path:
        if last == 0:
            raise Wrong("the proof is too long")
        if place % 2 or place == last:
            node = node_hash(sibling, node)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            node = node_hash(node, sibling)
        place, last = place // 2, last // 2
    if last:
        raise Wrong("the proof is too short")
    return node


# --- Ed25519 (RFC 8032, 5.1), verification only -------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]  # extended coordinates: x = X/Z, y = Y/Z, x*y = T/Z


def _plus(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(factor: int, point: Point) -> Point:
    product: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            product = _plus(product, point)
        point, factor = _plus(point, point), factor >> 1
    return product


def _same(one: Point, two: Point) -> bool:
    return not ((one[0] * two[2] - two[0] * one[2]) % P or (one[1] * two[2] - two[1] * one[2]) % P)


def _point(encoded: bytes) -> Point:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if y >= P or (x * x - x2) % P or (x == 0 and sign):
        raise Wrong("no point of the curve")
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature of 64 bytes is that of the key of 32 bytes over the message."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    try:
        key, commitment = _point(public_key), _point(signature[:32])
    except Wrong:
        return False
    factor = int.from_bytes(signature[32:], "little")
    if factor >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    return _same(_times(factor, BASE), _plus(commitment, _times(challenge, key)))


# --- Notes, anchors, proofs ---------------------------------------------------------------------


class Key(NamedTuple):
    """A public key: ``name+id+base64``."""

    name: str
    id: bytes
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Read it from its line. Raises Wrong."""
        name, _, rest = text.strip().partition("+")
        data = _decoded(rest.partition("+")[2])
        key_id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        if len(data) != 33 or data[0] != 1 or rest.partition("+")[0] != key_id.hex():
            raise Wrong("this is no public key: name+id+base64, Ed25519")
        return cls(name, key_id, data[1:])


class Anchor(NamedTuple):
    """What a signed note states: see docs/reference/anchors.md."""

    number: int
    size: int
    root: bytes
    events: int
    time: str

    @classmethod
    def read(cls, note: str, key: Key | None) -> "Anchor":
        """Check the signature, if there is a key, and read the text. Raises Wrong."""
        text, separator, rest = note.rpartition("\n\n")
        if len(note) > LONGEST_NOTE or not separator:
            raise Wrong("it is no signed note")
        text += "\n"
        if key is not None and not _signed(text, rest, key):
            raise Wrong(f"the key {key.name}+{key.id.hex()} has not signed it as it stands here")
        found = re.fullmatch(
            r"(\S+)/(\d+)\n(\d+)\n(\S{44})\nevents (\d+)\ntime (\S+)\nprevious \S+\n", text
        )
        if found is None or (key is not None and found[1] != key.name):
            raise Wrong("it is no anchor of this key")
        return cls(int(found[2]), int(found[3]), _decoded(found[4]), int(found[5]), found[6])


def _signed(text: str, rest: str, key: Key) -> bool:
    for line in rest.splitlines():
        name, _, data = line.removeprefix(DASH).partition(" ")
        signature = _decoded(data)
        if line.startswith(DASH) and name == key.name and signature[:4] == key.id:
            return ed25519_verify(key.raw, text.encode(), signature[4:])
    return False


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return b""


def read_heads(lines: TextIO) -> Iterator[Head]:
    """Yield the heads of a list that anchor_audit --heads wrote. Raises Wrong."""
    for number, line in enumerate(lines, start=1):
        try:
            case_id, sequence, hash_ = line.split()
            yield Head(case_id, int(sequence), bytes.fromhex(hash_))
        except ValueError:
            raise Wrong(f"line {number} of the heads is none: case, number, hash") from None


def compare(
    events: Iterator[Head], listed: Iterator[Head] | None, anchor: Anchor, findings: Findings
) -> None:
    """Check that the events give the anchor's root.

    The list of heads only says which event of each case the anchor covers. Without it that is
    each case's last one, which holds for an export made before anything else happened.
    """
    tree, before = Tree(), findings.count
    head = None if listed is None else next(listed, None)
    last: Head | None = None
    for event in events:
        if listed is None:
            if last is not None and last.case_id != event.case_id:
                tree.add(last.leaf_hash())
            last = event
        else:
            while head is not None and _place(head) < _place(event):
                findings.add("the anchor covers it, and it is missing", head.case_id, head.sequence)
                head = next(listed, None)
            if head is not None and _place(head) == _place(event):
                tree.add(event.leaf_hash())
                if head.hash != event.hash:
                    findings.add("the anchor covers another hash", event.case_id, event.sequence)
                head = next(listed, None)
    while listed is not None and head is not None:
        findings.add("the anchor covers it, and it is missing", head.case_id, head.sequence)
        head = next(listed, None)
    if last is not None:
        tree.add(last.leaf_hash())
    if tree.size != anchor.size and findings.count == before:
        findings.add(f"anchor {anchor.number} covers {anchor.size} cases, these are {tree.size}")
    elif tree.root() != anchor.root and findings.count == before:
        hint = " (if events came later, pass --heads)" if listed is None else ""
        findings.add(f"the trail does not give the root of anchor {anchor.number}{hint}")


def _place(head: Head) -> tuple[bytes, int]:
    return head.case_id.encode(), head.sequence


class Proof(NamedTuple):
    """A proof that one case is in an anchor."""

    head: Head
    anchor: Anchor

    @classmethod
    def read(cls, text: str, key: Key | None) -> "Proof":
        """Check a proof and its anchor's signature. Raises Wrong."""
        top, _, note = text.partition("\n\n")
        lines = top.split("\n")
        if lines[0] != "c2sp.org/tlog-proof@v1" or len(lines) < 3:
            raise Wrong("it is no proof of the form c2sp.org/tlog-proof@v1")
        anchor = Anchor.read(note, key)
        try:
            leaf = json.loads(_decoded(lines[1].removeprefix("extra ")))
            head = Head(leaf["case_id"], int(leaf["sequence"]), bytes.fromhex(leaf["hash"]))
            index = int(lines[2].removeprefix("index "))
        except (ValueError, KeyError, TypeError):
            raise Wrong("it does not say which head it is about") from None
        path = [_decoded(line) for line in lines[3:]]
        if root_from_path(head.leaf_hash(), index, anchor.size, path) != anchor.root:
            raise Wrong("it does not lead to the root of the anchor")
        return cls(head, anchor)


# --- The program --------------------------------------------------------------------------------


def arguments(given: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "export", help="the trail as JSON lines, as the service exports it; - is standard input"
    )
    parser.add_argument("--anchor", help="a signed note that anchor_audit wrote")
    parser.add_argument("--heads", help="which events the anchor covers (anchor_audit --heads)")
    parser.add_argument("--proof", help="a proof that a case is covered (anchor_audit --prove)")
    parser.add_argument("--key", help="the public key of the office, or a file that holds it")
    parser.add_argument("--unsigned", action="store_true", help="do not check any signature")
    parser.add_argument(
        "--partial", action="store_true", help="the export was filtered: gaps are no findings"
    )
    options = parser.parse_args(given)
    if (options.anchor or options.proof) and not (options.key or options.unsigned):
        parser.error("--key is missing: whose signature is the anchor to have?")
    if options.heads and not options.anchor:
        parser.error("--heads goes with --anchor")
    return options


def run(options: argparse.Namespace, output: TextIO) -> int:
    """Verify, say what was found, and return the exit code."""
    findings, said = Findings(output), []
    key = None if options.key is None else _read_key(options.key)
    anchor = proof = None
    try:
        if options.anchor:
            anchor = Anchor.read(_text(options.anchor), key)
            said.append(f"anchor {anchor.number} of {anchor.time}")
        if options.proof:
            proof = Proof.read(_text(options.proof), key)
            said.append(f"a proof about {proof.head.case_id} for anchor {proof.anchor.number}")
    except Wrong as error:
        findings.add(
            f"{'the anchor' if anchor is None and options.anchor else 'the proof'}: {error}"
        )
    source = sys.stdin if options.export == "-" else open(options.export, encoding="utf-8")
    with source:
        trail = Trail(source, findings, partial=options.partial)
        events = trail.heads()
        if proof is not None:
            events = _looking_for(events, proof.head, findings)
        if anchor is not None and options.heads:
            with open(options.heads, encoding="utf-8") as heads:
                compare(events, read_heads(heads), anchor, findings)
        elif anchor is not None:
            compare(events, None, anchor, findings)
        else:
            for _ in events:
                pass
    verdict = "nothing found" if not findings.count else f"{findings.count} findings, see above"
    against = f" against {' and '.join(said)}" if said else ""
    output.write(f"{trail.events} events of {trail.cases} cases verified{against}: {verdict}.\n")
    return 1 if findings.count else 0


def _looking_for(events: Iterator[Head], wanted: Head, findings: Findings) -> Iterator[Head]:
    found = False
    for event in events:
        if event[:2] == wanted[:2]:
            found = True
            if event.hash != wanted.hash:
                findings.add("the proof is about another hash", event.case_id, event.sequence)
        yield event
    if not found:
        findings.add("the proof covers it, and it is missing", wanted.case_id, wanted.sequence)


def _read_key(given: str) -> Key:
    return Key.parse(given if "+" in given and "\n" not in given else _text(given))


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read(LONGEST_NOTE)


def main(given: list[str] | None = None) -> int:
    """Run the program."""
    options = arguments(given)
    try:
        return run(options, sys.stdout)
    except (OSError, UnicodeDecodeError, Wrong) as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
