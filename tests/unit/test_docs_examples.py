"""The worked examples of the audit format and of anchors are right."""

from __future__ import annotations

import hashlib
import json
import re

from audit import standalone_verifier
from tests.unit.documents import code, rows, section


def test_the_worked_examples_of_the_audit_format_are_right() -> None:
    example = section("reference/audit-format.md", "Example")
    contents = re.findall(r"```json\n(.+)\n```", example)
    tables = [bytes.fromhex(code(row[1])) for row in rows(example, width=2)]
    assert (len(contents), len(tables)) == (2, 6)

    previous = bytes(32)
    for content, told in zip(contents, (tables[:3], tables[3:]), strict=True):
        content_hash = hashlib.sha256(content.encode()).digest()
        linked = hashlib.sha256(previous + content_hash).digest()
        assert told == [content_hash, previous, linked]
        assert f"{len(content.encode())} bytes" in example
        previous = linked


def test_the_example_of_a_line_is_that_of_the_second_event() -> None:
    lines = section("reference/audit-format.md", "JSON lines")
    line = re.search(r"```json\n(.+)\n```", lines)
    assert line is not None
    event = json.loads(line[1])

    content = standalone_verifier.content_hash(event)

    assert (
        event["hash"] == hashlib.sha256(bytes.fromhex(event["previous_hash"]) + content).hexdigest()
    )
    assert event["hash"] in section("reference/audit-format.md", "Example")


def test_the_worked_example_of_an_anchor_is_right() -> None:
    example = section("reference/anchors.md", "Example")
    leaves, note, proof = re.findall(r"```\w+\n(.+?)```", example, re.DOTALL)
    told = [bytes.fromhex(code(row[1])) for row in rows(example, width=2)]
    key = re.search(r"`(\S+\+[0-9a-f]{8}\+\S+)`", example)
    assert key is not None
    public = standalone_verifier.Key.parse(key[1])

    hashes = [hashlib.sha256(b"\0" + leaf.encode()).digest() for leaf in leaves.splitlines()]
    root = hashlib.sha256(b"\1" + hashes[0] + hashes[1]).digest()

    assert told == [*hashes, root]
    anchor = standalone_verifier.Anchor.read(note, public)
    assert (anchor.number, anchor.size, anchor.root, anchor.events) == (1, 2, root, 3)
    found = standalone_verifier.Proof.read(proof, public)
    assert found.head.leaf_hash() == hashes[0]
    assert found.head.hash.hex() in section("reference/audit-format.md", "Example")
