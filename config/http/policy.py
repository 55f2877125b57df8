"""What a page may do in a browser; an answer of the API runs nothing and needs no such policy."""

from __future__ import annotations

from typing import Final

from csp.middleware import CSPMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# Of what a browser can do beside showing pages, ours need nothing.
_NOTHING: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen",
        "geolocation", "gyroscope", "magnetometer", "microphone", "midi", "payment",
        "picture-in-picture", "publickey-credentials-get", "screen-wake-lock", "usb", "web-share",
        "xr-spatial-tracking",
    )
)  # fmt: skip


class PagePolicy(CSPMiddleware):
    """Sends the policy of ``settings.CONTENT_SECURITY_POLICY`` with what a browser shows."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Add the policies to a page, with what its view has added to that of its contents.

        No page of others may load anything of ours, page or not.
        """
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        response.headers["Permissions-Policy"] = _NOTHING
        return super().process_response(request, response)
