"""The Content-Security-Policy of every page; an answer of the API runs nothing and needs none."""

from __future__ import annotations

from csp.middleware import CSPMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class PagePolicy(CSPMiddleware):
    """Sends the policy of ``settings.CONTENT_SECURITY_POLICY`` with what a browser shows."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Add the policy to a page, with what its view has added to it."""
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
