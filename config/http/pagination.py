"""Keyset pages: the next page starts after the last row seen, so every page costs the same."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import BooleanField, F, Field, Func, Value
from django.db.models.expressions import Combinable
from rest_framework import exceptions
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

if TYPE_CHECKING:  # DRF imports this module while it loads its own views
    from rest_framework.views import APIView

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 200
_CURSOR_MAX: Final = 500


class _After(Func):
    """``(a, b) > (x, y)``: a row comparison, which an index on (a, b) answers directly."""

    output_field = BooleanField()

    def __init__(self, left: Sequence[str], right: Sequence[Any], operator: str) -> None:
        self.width, self.operator = len(left), operator
        expressions: list[Combinable] = [*map(F, left), *map(Value, right)]
        super().__init__(*expressions)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        """Write the comparison; each side in parentheses."""
        del connection, args, extra
        parts, params = [], []
        for expression in self.get_source_expressions():
            sql, values = compiler.compile(expression)
            parts.append(sql)
            params += values
        left, right = ", ".join(parts[: self.width]), ", ".join(parts[self.width :])
        return f"({left}) {self.operator} ({right})", params


class KeysetPagination(BasePagination):
    """Pages by the view's ``keyset``; query parameters: ``limit`` and ``cursor``.

    A keyset is the names of fields that together order and identify a row, all of them
    ascending or all descending (``-``).
    """

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        """Return the rows of the page asked for.

        Raises:
            ParseError: the cursor is none of ours.
            ValidationError: the limit is not a number from 1 to 200.
        """
        keyset: Sequence[str] = cast(Any, view).keyset
        self.names = [name.lstrip("-") for name in keyset]
        descending = keyset[0].startswith("-")
        self.url = request.build_absolute_uri(request.path)
        self.query = request.query_params.copy()
        limit = _limit(request.query_params.getlist("limit"))
        backwards, position = _decode(
            request.query_params.get("cursor"),
            [queryset.model._meta.get_field(name) for name in self.names],
        )
        # Going back is going on in the opposite order, turned round in the end.
        down = descending != backwards
        rows = queryset.order_by(*(f"-{name}" if down else name for name in self.names))
        if position is not None:
            rows = rows.filter(_After(self.names, position, "<" if down else ">"))
        page = list(rows[: limit + 1])
        more, page = len(page) > limit, page[:limit]
        if backwards:
            page.reverse()
        # Where we came from there is a page, unless we came from nowhere.
        self.has_next = backwards or more
        self.has_previous = more if backwards else position is not None
        self.page = page
        return page

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page with links to its neighbours."""
        return Response(
            {"next": self.get_next_link(), "previous": self.get_previous_link(), "results": data}
        )

    def get_next_link(self) -> str | None:
        """Return the address of the page after this one, or None."""
        return self._link(self.page[-1], "n") if self.page and self.has_next else None

    def get_previous_link(self) -> str | None:
        """Return the address of the page before this one, or None."""
        return self._link(self.page[0], "p") if self.page and self.has_previous else None

    def _link(self, row: Any, direction: str) -> str:
        values = [
            value.isoformat() if isinstance(value := getattr(row, name), datetime) else str(value)
            for name in self.names
        ]
        raw = json.dumps([direction, *values], separators=(",", ":")).encode()
        self.query["cursor"] = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        return f"{self.url}?{urlencode(list(self.query.lists()), doseq=True)}"

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the page for the OpenAPI document."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Describe the query parameters for the OpenAPI document."""
        del view
        return [
            {
                "name": "limit",
                "in": "query",
                "description": "The most rows on a page.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": LIMIT_MAX,
                    "default": LIMIT_DEFAULT,
                },
            },
            {
                "name": "cursor",
                "in": "query",
                "description": "Where the page starts: taken from `next` or `previous`.",
                "schema": {"type": "string", "maxLength": _CURSOR_MAX},
            },
        ]


def _limit(values: list[str]) -> int:
    if not values:
        return LIMIT_DEFAULT
    given = values[0] if len(values) == 1 else ""
    if given.isascii() and given.isdigit() and len(given) <= 3 and 1 <= int(given) <= LIMIT_MAX:  # noqa: PLR2004 (three digits)
        return int(given)
    raise exceptions.ValidationError({"limit": [f"A number from 1 to {LIMIT_MAX}."]})


def _decode(cursor: str | None, fields: Sequence[Field[Any, Any]]) -> tuple[bool, list[Any] | None]:
    """Return the direction and the position that a cursor holds; (False, None) without one."""
    if cursor is None:
        return False, None
    try:
        direction, *values = json.loads(_base64url(cursor[:_CURSOR_MAX]))
        backwards = {"n": False, "p": True}[direction]
        position = [_position(f, value) for f, value in zip(fields, values, strict=True)]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, ValidationError):
        message = "The cursor is not one of this service: start again without it."
        raise exceptions.ParseError(message) from None
    return backwards, position


def _base64url(text: str) -> bytes:
    """Decode base64url without padding, strictly (RFC 4648, section 5). Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _position(field: Field[Any, Any], value: Any) -> Any:
    """Return a value of a cursor as its field compares it; ValueError where it cannot be one."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError
    position = field.to_python(value)
    if isinstance(position, datetime):
        if position.tzinfo is None:
            raise ValueError
        position = position.astimezone(UTC)
    field.run_validators(position)
    return position
