"""The verifier for outsiders: its signatures, its trees, and that it needs nothing but Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import merkle, signed_note
from audit import standalone_verifier as verifier

# RFC 8032, 7.1: tests 1, 2, 3 and SHA(abc); public key, message, signature.
VECTORS = {
    "no-bytes": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    "one-byte": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    "two-bytes": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    "sha-abc": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
            "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
def test_the_signatures_of_the_standard_are_right_and_no_others(vector) -> None:
    key, message, signature = map(bytes.fromhex, vector)

    assert verifier.ed25519_verify(key, message, signature)
    assert not verifier.ed25519_verify(key, message + b"x", signature)
    for place in (0, 31, 32, 63):
        wrong = bytearray(signature)
        wrong[place] ^= 1
        assert not verifier.ed25519_verify(key, message, bytes(wrong))
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert not verifier.ed25519_verify(other, message, signature)


def test_a_second_writing_of_the_same_signature_is_refused() -> None:
    """The number in the second half must be smaller than the order (RFC 8032, 5.1.7)."""
    key, message, signature = map(bytes.fromhex, VECTORS["one-byte"])
    number = int.from_bytes(signature[32:], "little") + verifier.ORDER
    again = signature[:32] + number.to_bytes(32, "little")

    assert not verifier.ed25519_verify(key, message, again)


@pytest.mark.parametrize(
    ("key", "signature"),
    [(b"", bytes(64)), (bytes(31), bytes(64)), (bytes(32), bytes(63)), (b"\xff" * 32, bytes(64))],
)
def test_what_is_no_key_or_no_signature_is_refused(key, signature) -> None:
    assert not verifier.ed25519_verify(key, b"", signature)


@settings(database=None, deadline=None, max_examples=15)
@given(secret=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200))
def test_what_another_library_signs_is_right_here(secret, message) -> None:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    public = private.public_key().public_bytes_raw()

    assert verifier.ed25519_verify(public, message, private.sign(message))
    assert not verifier.ed25519_verify(public, message + b"\0", private.sign(message))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 100])
def test_its_trees_and_proofs_are_those_of_the_service(size: int) -> None:
    hashes = [merkle.leaf_hash(bytes([n])) for n in range(size)]
    tree = verifier.Tree()
    for one in hashes:
        tree.add(one)

    assert tree.root() == merkle.root(hashes)
    for index in range(size):
        root, path = merkle.inclusion_path(hashes, index=index, size=size)
        assert verifier.root_from_path(hashes[index], index, size, path) == root
        for wrong in ([*path[:-1]] if path else [bytes(32)], [*path, bytes(32)]):
            with pytest.raises(verifier.Wrong, match="the proof is too"):
                verifier.root_from_path(hashes[index], index, size, wrong)


def test_it_reads_the_keys_and_notes_of_the_service() -> None:
    key = signed_note.SigningKey.generate("office.example/audit")
    text = (
        f"office.example/audit/7\n0\n{'A' * 43}=\nevents 0\ntime 2026-11-25T02:00:00.000000Z\n"
        "previous none\n"
    )
    public = verifier.Key.parse(str(key.public))

    anchor = verifier.Anchor.read(key.sign(text), public)

    assert (anchor.number, anchor.size, anchor.events) == (7, 0, 0)
    other = signed_note.SigningKey.generate("office.example/audit").public
    with pytest.raises(verifier.Wrong, match="has not signed"):
        verifier.Anchor.read(key.sign(text), verifier.Key.parse(str(other)))
    with pytest.raises(verifier.Wrong, match="has not signed"):
        verifier.Anchor.read(key.sign(text).replace("events 0", "events 1"), public)
    with pytest.raises(verifier.Wrong, match="no public key"):
        verifier.Key.parse(str(key.public).replace("office", "0ffice"))


def test_it_needs_nothing_but_python_and_nothing_of_the_project(tmp_path: Path) -> None:
    program = tmp_path / "verifier.py"
    shutil.copy(verifier.__file__, program)
    (tmp_path / "empty.jsonl").touch()

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", program.name, "empty.jsonl"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={},
    )  # fmt: skip

    assert done.stderr == ""
    assert done.stdout == "0 events of 0 cases verified: nothing found.\n"
    assert done.returncode == 0


def test_it_imports_only_modules_of_the_standard_library(tmp_path: Path) -> None:
    program = tmp_path / "verifier.py"
    shutil.copy(verifier.__file__, program)
    script = (
        "import sys, runpy; before = set(sys.modules); runpy.run_path('verifier.py');"
        "new = {n.split('.')[0] for n in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.strip() == "[]"
