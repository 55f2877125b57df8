"""Where the pages of a long list begin: first, in the middle, near the end."""

from __future__ import annotations

import base64
import json

import psycopg


def starts(url: str) -> dict[str, str]:
    """Return the paths of the pages that stand first, in the middle and near the end."""
    query = (
        "SELECT created_at::text, id FROM cases ORDER BY created_at DESC, id DESC OFFSET %s LIMIT 1"
    )
    with psycopg.connect(url) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        count = connection.execute("SELECT count(*) FROM cases").fetchone()
        assert count is not None
        paths = {"first": "/cases?limit=50"}
        for place, skipped in (("middle", count[0] // 2), ("last", count[0] - 1_500)):
            row = connection.execute(query, [skipped]).fetchone()
            assert row is not None, f"{count[0]} cases are too few for pages"
            paths[place] = f"/cases?limit=50&cursor={cursor_after(*row)}"
    return paths


def cursor_after(created_at: str, case_id: str) -> str:
    """Return the cursor of the page that follows a case, as the service writes it into ``next``."""
    raw = json.dumps(["n", "-created_at", created_at, case_id], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
