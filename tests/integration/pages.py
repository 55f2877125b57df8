"""Addresses and texts of the back office's pages."""

from __future__ import annotations

import html
from typing import Any

from django.urls import reverse

from cases.models import Case


def page(case: Case, action: str = "change") -> str:
    return reverse(f"admin:cases_case_{action}", args=[case.id])


def text(response: Any) -> str:
    return html.unescape(response.content.decode())
