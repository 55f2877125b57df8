"""Conditional requests (RFC 9110, section 13): versions of a case as entity tags."""

from __future__ import annotations

import re
from typing import Final

from rest_framework.exceptions import ParseError
from rest_framework.request import Request

# An opaque tag may hold commas, so a list is not split at them.
_TAG: Final = r'(?P<weak>W/)?"(?P<value>[\x21\x23-\x7e]*)"'
_ENTITY_TAG: Final = re.compile(_TAG)
_LIST: Final = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*(?:W/)?\"[\x21\x23-\x7e]*\")*[ \t,]*")
_VERSION: Final = re.compile(r"0|[1-9][0-9]{0,8}")


def entity_tag(version: int) -> str:
    """Return the strong ETag of a version of a case."""
    return f'"{version}"'


def versions_to_match(request: Request) -> frozenset[int] | None:
    """Return the versions that ``If-Match`` names; None where any will do.

    The comparison is strong: a weak tag never matches, nor does one that is none of ours.

    Raises:
        ParseError: it is neither ``*`` nor entity tags; or the write says ``If-None-Match``.
    """
    if "HTTP_IF_NONE_MATCH" in request.META:
        message = "If-None-Match is for reading: a write takes If-Match."
        raise ParseError(message)
    tags = _tags(request, "If-Match")
    if tags is None:
        return None
    return frozenset(version for weak, version in tags if not weak and version is not None)


def is_known(request: Request, version: int) -> bool:
    """Tell whether ``If-None-Match`` says that the caller has this version; compared weakly.

    Raises:
        ParseError: it is neither ``*`` nor entity tags.
    """
    if "HTTP_IF_NONE_MATCH" not in request.META:
        return False
    tags = _tags(request, "If-None-Match")
    return tags is None or any(known == version for _, known in tags)


def _tags(request: Request, name: str) -> list[tuple[bool, int | None]] | None:
    """Return for each tag whether it is weak and which version it names; None for ``*`` or none."""
    given: str | None = request.META.get(f"HTTP_{name.upper().replace('-', '_')}")
    if given is None or given.strip() == "*":
        return None
    if not _LIST.fullmatch(given):
        message = f'{name} takes ETags, like "3" or "3", "4", or *.'
        raise ParseError(message)
    return [
        (tag["weak"] is not None, int(tag["value"]) if _VERSION.fullmatch(tag["value"]) else None)
        for tag in _ENTITY_TAG.finditer(given)
    ]
