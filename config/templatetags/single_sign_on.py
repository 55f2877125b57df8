"""What the log-in page asks about single sign-on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.urls import reverse

register = template.Library()


@register.simple_tag(takes_context=True)
def single_sign_on_address(context: dict[str, Any]) -> str:
    """Return where the log-in at the issuer begins; empty where it is not configured."""
    if not settings.OIDC_CLIENT_ID:
        return ""
    wanted = context.get(REDIRECT_FIELD_NAME, "")
    query = f"?{urlencode({REDIRECT_FIELD_NAME: wanted})}" if wanted else ""
    return reverse("oidc_authentication_init") + query
