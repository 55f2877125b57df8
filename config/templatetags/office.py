"""What the pages of the back office share."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Show a drawing of ``office/icons.svg``; words beside it say the same."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("office/icons.svg"),
        name,
    )


@register.simple_tag
def figure(number: int, url: str, *about: str) -> SafeString | str:
    """Show a number that leads to its cases; what it is about is said to who does not see it."""
    if not (number and url):
        return f"{number:,}"
    return format_html(
        '<a href="{}">{}<span class="visually-hidden">: {}</span></a>',
        url,
        f"{number:,}",
        ", ".join(about),
    )


@register.simple_tag
def swatch(kind: str) -> SafeString:
    """Show what a series of a plot looks like."""
    hatched = {"closed": "closed", "late": "late"}.get(kind)
    fill = format_html(' fill="url(#hatch-{})"', hatched) if hatched else ""
    return format_html(
        '<svg class="swatch" width="14" height="14" aria-hidden="true" focusable="false">'
        '<rect class="piece-{}"{} width="14" height="14" rx="3"/></svg>',
        kind,
        fill,
    )
