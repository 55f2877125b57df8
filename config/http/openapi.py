"""What the OpenAPI document describes: the paths under /v1, once."""

from __future__ import annotations

from typing import Any


def only_v1(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Keep the versioned paths: those at the root are the same (drf-spectacular hook)."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/v1/")]
