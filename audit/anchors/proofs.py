"""A proof that one case is in an anchor (C2SP tlog-proof): it verifies with no database at hand."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from django.db import transaction

from audit import merkle
from audit.anchors.making import covered_heads
from audit.anchors.statement import Head
from audit.models import AuditAnchor


class NotCovered(Exception):
    """The anchor does not cover this case: it came later."""


class AnchorBroken(Exception):
    """What is stored for the anchor does not give its root: run verify_audit --anchor."""


@transaction.atomic
def inclusion_proof(case_id: str, anchor: AuditAnchor) -> str:
    """Return the proof: the leaf, its place, the hashes up to the root, the anchor itself.

    Raises:
        NotCovered: the case is not among the heads of the anchor.
        AnchorBroken: the heads stored for the anchor are not those that were signed.
    """
    found: list[tuple[int, Head]] = []

    def hashes() -> Iterator[bytes]:
        for index, head in enumerate(covered_heads(anchor.number)):
            if head.case_id == case_id:
                found.append((index, head))
            yield head.leaf_hash()

    # The place of the leaf is known only after all have been seen, and the path needs the place.
    root = merkle.root(hashes())
    if root != bytes(anchor.root):
        raise AnchorBroken(AnchorBroken.__doc__)
    if not found:
        raise NotCovered(NotCovered.__doc__)
    [(index, head)] = found
    _, path = merkle.inclusion_path(hashes(), index=index, size=anchor.chains)
    lines = [
        "c2sp.org/tlog-proof@v1",
        f"extra {base64.b64encode(head.leaf()).decode()}",
        f"index {index}",
        *(base64.b64encode(node).decode() for node in path),
    ]
    return "\n".join(lines) + f"\n\n{anchor.note}"
