"""The list of cases: filters, search, orderings, pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import starmap
from typing import Any, Final

from django.db.models import Value
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from cases import replica, selectors
from cases.api.base import ActorView, describe
from cases.api.parameters import CaseParameters, read_parameters
from cases.api.serializers import CaseSerializer, written
from cases.filters import EVERY_CASE
from cases.models import NEWEST_FIRST, Case
from cases.pages import CaseRow, PlainRow, read_page

# What pages are made for; ``read_page`` reads what is on them.
NOTHING: Final = Case.objects.none()
_OF_PAGES: Final = frozenset({"limit", "cursor"})


class CaseListing(ActorView, generics.GenericAPIView[Case]):
    """What ``GET /cases`` answers; the view set of cases stands at the same address."""

    ordering = NEWEST_FIRST
    wanted = EVERY_CASE

    @describe(answer=CaseSerializer(many=True), parameters=[CaseParameters])
    def list(self, request: Request) -> Response:
        """List the cases that exist for the caller, newest first unless told otherwise."""
        self.wanted, self.ordering = read_parameters(
            request.query_params, self.actor, besides=_OF_PAGES
        )
        page = replica.from_replica(lambda: self.paginate_queryset(NOTHING)) or ()
        return self.get_paginated_response(
            list(starmap(written, selectors.available_on_each(self.actor, page)))
        )

    def read_page(
        self, place: Sequence[Value] | None, *, turned: bool, size: int
    ) -> Sequence[PlainRow | Case]:
        """Read the rows of a page; the pagination asks, a search decides how."""
        if not self.wanted.search:
            return read_page(
                self.actor, self.wanted, self.ordering, place, turned=turned, size=size
            )
        cases = selectors.visible_cases(self.actor, replace(self.wanted, search=""))
        rows = cases.order_by(*self.ordering.terms(turned=turned))
        if place is not None:
            rows = rows.filter(self.ordering.beyond(place, turned=turned))
        return selectors.first_cases(rows, self.wanted.search, size)

    @staticmethod
    def value_of(row: PlainRow | Case, name: str) -> Any:
        """Return a column of a row by its name: the pagination asks for the keys of two rows."""
        return row[CaseRow._fields.index(name)] if isinstance(row, tuple) else getattr(row, name)
