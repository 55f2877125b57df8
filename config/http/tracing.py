"""The trace that a caller's request belongs to: W3C Trace Context, level 1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
# Version, trace, parent, flags; later versions may add to the end. All zeros name nothing.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})"
    r"-(?P<parent>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-[!-~]*)?"
)
_KEY: Final = r"[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}"
_MEMBER: Final = re.compile(rf"(?:{_KEY})=[ -+\--<>-~]{{0,255}}[!-+\--<>-~]")
_MOST_MEMBERS: Final = 32
_MOST_CHARACTERS: Final = 512  # what everybody must pass on, by the recommendation


def trace_of(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return ``traceparent`` and ``tracestate`` of a request, without what is not valid.

    A wrong ``traceparent`` means that there is no trace; a wrong ``tracestate`` is left out alone.
    """
    if not (given := headers.get("traceparent")):
        return _NONE
    found = _TRACEPARENT.fullmatch(given)
    if found is None or (found["version"] == "00" and found["more"] is not None):
        return _NONE
    if found["version"] == "00":
        trace = {"traceparent": given}
    else:  # of a later version only the part that version 00 knows is understood, and passed on
        sampled = int(found["flags"], 16) & 1
        trace = {"traceparent": f"00-{found['trace']}-{found['parent']}-{sampled:02x}"}
    if state := _state(headers.get("tracestate", "")):
        trace["tracestate"] = state
    return trace


def _state(given: str) -> str:
    if len(given) > _MOST_CHARACTERS:
        return ""
    members = [member for part in given.split(",") if (member := part.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    sane = len(members) <= _MOST_MEMBERS and len(keys) == len(members)
    return ",".join(members) if sane and all(map(_MEMBER.fullmatch, members)) else ""
