"""What messages tell about restricted cases: that something happened, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson
from django.conf import settings
from django.core.checks import CheckMessage, Error

from cases.events import Json
from cases.selectors import restricted_among
from outbox.destinations.base import Message


def withhold(messages: Sequence[Message]) -> list[Message]:
    """Return the messages as they may leave the house now.

    Whether a case is restricted is asked when a message leaves, not when it was written: what was
    restricted in between is kept back too. Of a restricted case the data hold its id and
    ``restricted``; id, type, subject, time and sequence of the message stay, so that a reader can
    order it, and read the case where its own rights allow.
    """
    if settings.OUTBOX_RESTRICTED == "full":
        return list(messages)
    restricted = restricted_among({message.subject for message in messages})
    return [_bare(one) if one.subject in restricted else one for one in messages]


def bare(values: Mapping[str, Json]) -> dict[str, Json]:
    """Return a CloudEvent whose data say which case it is about, and nothing else."""
    return {**values, "data": {"case_id": values["subject"], "restricted": True}}


def _bare(message: Message) -> Message:
    return message._replace(body=orjson.dumps(bare(message.parsed())).decode())


def check() -> list[CheckMessage]:
    """Return what is wrong with OUTBOX_RESTRICTED."""
    if settings.OUTBOX_RESTRICTED in ("ids", "full"):
        return []
    return [
        Error(
            f"OUTBOX_RESTRICTED is {settings.OUTBOX_RESTRICTED!r}.",
            hint="Set it to ids or full; unset, messages about restricted cases hold ids only.",
            id="outbox.E004",
        )
    ]
