"""Merkle trees as RFC 6962 and RFC 9162 hash them. Plain Python, in constant memory.

Leaves are hashed with a leading 0x00, nodes with a leading 0x01, so that none can be taken for the
other. Hashes are SHA-256, 32 bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf's bytes."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over two hashes."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(hashes: Iterable[bytes]) -> bytes:
    """Return the root over hashes of leaves, in their order; keeps one hash per level."""
    # Complete trees, the largest first; sizes are powers of two, as the bits of the count so far.
    pending: list[tuple[int, bytes]] = []
    for leaf in hashes:
        size, node = 1, leaf
        while pending and pending[-1][0] == size:
            node = node_hash(pending.pop()[1], node)
            size *= 2
        pending.append((size, node))
    if not pending:
        return EMPTY_ROOT
    _, node = pending.pop()
    while pending:
        node = node_hash(pending.pop()[1], node)
    return node


def inclusion_path(hashes: Iterable[bytes], *, index: int, size: int) -> tuple[bytes, list[bytes]]:
    """Return the root, and the hashes that lead from one leaf to it, the leaf's sibling first.

    Args:
        hashes: hashes of all leaves, in their order.
        index: which leaf it is about, from 0.
        size: how many there are.

    Raises:
        ValueError: there is no such leaf, or there are not as many as said.
    """
    if not 0 <= index < size:
        message = f"There is no leaf {index} among {size}."
        raise ValueError(message)
    path: list[bytes] = []
    source = iter(hashes)
    try:
        top = _walk(source, index, size, path)
    except StopIteration:
        top = None
    if top is None or next(source, None) is not None:
        message = f"There are not {size} leaves."
        raise ValueError(message)
    return top, path


def _walk(source: Iterator[bytes], index: int, size: int, path: list[bytes]) -> bytes:
    """Hash the next ``size`` leaves; ``index`` lies among them, or is negative or too large."""
    if size == 1:
        return next(source)
    half = 1 << (size - 1).bit_length() - 1
    left = _walk(source, index, half, path)
    right = _walk(source, index - half, size - half, path)
    if 0 <= index < size:
        path.append(right if index < half else left)
    return node_hash(left, right)


def root_from_path(leaf: bytes, *, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that a leaf's hash and its path lead to (RFC 9162, 2.1.3.2).

    Raises:
        ValueError: the path is not as long as the one of this leaf is.
    """
    node, place, last = leaf, index, size - 1
    if not 0 <= index < size:
        message = f"There is no leaf {index} among {size}."
        raise ValueError(message)
    for sibling in path:
        if last == 0:
            message = "The path is too long."
            raise ValueError(message)
        if place % 2 or place == last:
            node = node_hash(sibling, node)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            node = node_hash(node, sibling)
        place, last = place // 2, last // 2
    if last:
        message = "The path is too short."
        raise ValueError(message)
    return node
