"""Figures name addresses by their routes, written so that people can read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from config.metrics.counted import NO_ROUTE, readable, route_of


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from routes(entry, route)


def test_every_route_reads_like_an_address_with_names_for_what_varies() -> None:
    found = {readable(route) for route in routes()}

    odd = {route for route in found if not re.fullmatch(r"(/|(/(<\w+>|[\w.-]+))+/?)", route)}
    assert odd == set()
    assert {"/cases", "/v1/cases/<case_id>/close", "/metrics"} <= found


@pytest.mark.parametrize(
    ("route", "read"),
    [
        ("v1/^cases/(?P<case_id>[^/]+)/close\\Z", "/v1/cases/<case_id>/close"),
        ("cases/<str:case_id>/notes", "/cases/<case_id>/notes"),
        ("", "/"),
    ],
)
def test_expressions_and_converters_are_left_out(route, read) -> None:
    assert readable(route) == read


def test_an_address_that_matches_nothing_has_no_route() -> None:
    assert route_of(SimpleNamespace(resolver_match=None)) == NO_ROUTE
