"""Keyset pages: the next page starts after the last row seen, so every page costs the same."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Field, Value
from rest_framework import exceptions
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from cases.models.orderings import Ordering, SortKey

if TYPE_CHECKING:  # DRF imports this module while it loads its own views
    from rest_framework.views import APIView

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 200
_CURSOR_MAX: Final = 500


class KeysetPagination(BasePagination):
    """Pages by the view's ``keyset`` or ``ordering``; query parameters: ``limit`` and ``cursor``.

    A keyset is the names of fields that together order and identify a row, all of them
    ascending or all descending (``-``). An ``Ordering`` is one whose keys may be more than fields.
    A view that reads its rows in its own way has ``read_page(place, *, turned, size)``: the first
    rows beyond a place, or the first of all, in its order or the opposite one; and, where its rows
    have no attributes, ``value_of(row, name)``.
    """

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        """Return the rows of the page asked for.

        Raises:
            ParseError: the cursor is none of ours, or of a list in another order.
            ValidationError: the limit is not a number from 1 to 200, or there are two cursors.
        """
        self.ordering = _ordering(view)
        self.url = request.build_absolute_uri(request.path)
        self.query = request.query_params
        limit = _limit(request.query_params.getlist("limit"))
        fields = [queryset.model._meta.get_field(key.field) for key in self.ordering.keys]
        backwards, position = _decode(
            request.query_params.getlist("cursor"), self.ordering.name, fields
        )
        read = getattr(view, "read_page", None) or partial(self._read, queryset)
        self.value_of: Callable[[Any, str], Any] = getattr(view, "value_of", getattr)
        place = position and [
            Value(value, output_field=field) for value, field in zip(position, fields, strict=True)
        ]
        # Going back is going on in the opposite order, turned round in the end.
        page = read(place, turned=backwards, size=limit + 1)
        more, page = len(page) > limit, page[:limit]
        if backwards:
            page.reverse()
        # Where we came from there is a page, unless we came from nowhere.
        self.has_next = backwards or more
        self.has_previous = more if backwards else position is not None
        self.page = page
        return cast(list[Any], page)

    def _read(
        self, queryset: Any, place: list[Value] | None, *, turned: bool, size: int
    ) -> list[Any]:
        rows = queryset.order_by(*self.ordering.terms(turned=turned))
        if place is not None:
            rows = rows.filter(self.ordering.beyond(place, turned=turned))
        return list(rows[:size])

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
        place = [_written(self.value_of(row, key.field)) for key in self.ordering.keys]
        raw = json.dumps([direction, self.ordering.name, *place], separators=(",", ":")).encode()
        cursor = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        query = dict(self.query.lists()) | {"cursor": [cursor]}
        return f"{self.url}?{urlencode(query, doseq=True)}"

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


def _ordering(view: Any) -> Ordering:
    ordering: Ordering | None = getattr(view, "ordering", None)
    return ordering or Ordering(
        view.keyset[0], tuple(SortKey(name.lstrip("-")) for name in view.keyset)
    )


def _limit(values: list[str]) -> int:
    if not values:
        return LIMIT_DEFAULT
    given = values[0] if len(values) == 1 else ""
    if given.isascii() and given.isdigit() and len(given) <= 3 and 1 <= int(given) <= LIMIT_MAX:  # noqa: PLR2004 (three digits)
        return int(given)
    raise exceptions.ValidationError({"limit": [f"A number from 1 to {LIMIT_MAX}."]})


def _decode(
    cursors: list[str], ordering: str, fields: Sequence[Field[Any, Any]]
) -> tuple[bool, list[Any] | None]:
    """Return the direction and the position that a cursor holds; (False, None) without one."""
    if not cursors:
        return False, None
    if len(cursors) > 1:
        raise exceptions.ValidationError({"cursor": ["Give it once."]})
    try:
        direction, made_for, *values = json.loads(_base64url(cursors[0][:_CURSOR_MAX]))
        backwards = {"n": False, "p": True}[direction]
        position = [_position(f, value) for f, value in zip(fields, values, strict=True)]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, ValidationError):
        message = "The cursor is not one of this service: start again without it."
        raise exceptions.ParseError(message) from None
    if made_for != ordering:
        message = "The cursor is one of a list in another order: start again without it."
        raise exceptions.ParseError(message)
    return backwards, position


def _written(value: Any) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _base64url(text: str) -> bytes:
    """Decode base64url without padding, strictly (RFC 4648, section 5). Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _position(field: Field[Any, Any], value: Any) -> Any:
    """Return a value of a cursor as its field compares it; ValueError where it cannot be one."""
    if value is None and field.null:
        return None
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError
    position = field.to_python(value)
    if isinstance(position, datetime):
        if position.tzinfo is None:
            raise ValueError
        position = position.astimezone(UTC)
    elif field.choices and position not in dict(field.flatchoices):
        raise ValueError
    field.run_validators(position)
    return position
