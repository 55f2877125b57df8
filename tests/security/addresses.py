"""Every address there is, by what it may tell of a case that is hidden from who asks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.urls import URLResolver, get_resolver

# About one case: the hidden one answers as one that never was.
CASE = [
    "cases/{id}",
    "cases/{id}/actions",
    "cases/{id}/audit-events",
    "cases/{id}/notes",
    "cases/{id}/access",
    "cases/{id}/assign",
    "cases/{id}/close",
    "cases/{id}/due-date",
    "cases/{id}/escalate",
    "cases/{id}/pause",
    "cases/{id}/restrict",
    "cases/{id}/reviewers",
    "cases/{id}/resume",
    "cases/{id}/start-review",
    "cases/{id}/submit",
    "cases/{id}/unrestrict",
]
# About many cases: the same with the hidden case as without it. Queries that could find it.
LISTS = {
    "cases": [
        "", "?status=UNDER_REVIEW", "?limit=1", "?limit=200", "?search={secret}",
        "?ordering=updated_at", "?assigned_reviewer_id=none",
    ],
    "cases/summary": [""],
    "cases/reports": [""],
}  # fmt: skip
# For those who may export; the rest is refused, and what is exported is what a list holds.
EXPORTS = [
    "cases/export.csv",
    "audit-events/export.jsonl",
    "audit-events/export.csv",
    "audit-events/export.xes",
]
ADMIN_EXPORT = "admin/cases/case/export/"
# Of one person alone: to everybody else they are what never was.
OWN = [
    "admin/cases/case/import/{id}/",
    "admin/cases/case/import/{id}/rejects/",
    "admin/cases/case/results/{id}/",
    "admin/cases/case/export/{id}/",
]
ADMIN_CASE = [
    f"admin/cases/case/{{id}}/{page}"
    for page in [
        "update/",
        "submit/",
        "start-review/",
        "assign/",
        "escalate/",
        "close/",
        "add-note/",
        "set-due-date/",
        "pause/",
        "resume/",
        "restrict/",
        "unrestrict/",
        "grant-access/",
        "revoke-access/",
        "history/",
        "delete/",
        "change/",
    ]
] + ["admin/cases/case/{id}/", "admin/audit/auditevent/{id}/verify/"]
_AUTOCOMPLETE = "app_label=cases&model_name=caseuserpermission&field_name=content_object"
ADMIN_LISTS = {
    "admin/": [""],
    "admin/dashboard/": [""],
    "admin/tables/": [""],
    "admin/{app}/": [""],  # tried with cases
    "admin/cases/case/": [
        "", "?search={id}", "?search={secret}", "?queue=all", "?queue=all&status=UNDER_REVIEW",
        "?queue=all&search={secret}", "?queue=mine", "?queue=overdue", "?queue=all&reviewer=me",
        "?restricted__exact=1", "?_facets=True", "?o=-2", "?all=",
    ],
}  # fmt: skip
# No field offers cases for completion, so nothing is ever completed.
AUTOCOMPLETE = {
    "admin/autocomplete/": [f"?{_AUTOCOMPLETE}&term=", f"?{_AUTOCOMPLETE}&term={{secret}}"],
}
# For those whom nothing is hidden from: refused to all others, whatever is asked for.
INSIDERS = [
    f"admin/{model}/{page}"
    for model in ("audit/auditevent", "outbox/outboxevent")
    for page in ("", "add/", "{id}/history/", "{id}/delete/", "{id}/change/")
]
# Sessions, tokens, identities, devices, attempts to log in: for those who may have any of them.
KEEPERS = [
    f"admin/{model}/{page}"
    for model in (
        "config/accountsession",
        "config/apitoken",
        "config/linkedidentity",
        "otp_totp/totpdevice",
        "axes/accessattempt",
        "axes/accessfailurelog",
        "axes/accesslog",
    )
    for page in ("", "add/", "{id}/history/", "{id}/delete/", "{id}/change/")
]
# Accounts and groups; an account in a grant must not tell of the case.
ACCOUNTS = [
    f"admin/auth/{model}/{page}"
    for model in ("user", "group")
    for page in ("", "add/", "{id}/history/", "{id}/delete/", "{id}/change/")
] + ["admin/auth/user/{id}/password/"]
# Nothing of any case that there is.
QUIET = [
    "openapi.json",
    "docs",
    "health/live",
    "health/ready",
    "metrics",
    "admin",
    "admin/oidc/begin",
    "admin/oidc/callback",
    "admin/login/",
    "admin/logout/",
    "admin/password_change/",
    "admin/password_change/done/",
    "admin/sessions/",
    "admin/again/",
    "admin/second-factor/",
    "admin/second-factor/code/",
    "admin/second-factor/codes/",
    "admin/second-factor/set-up/",
    "admin/jsi18n/",
    "admin/{url}",
    "admin/cases/case/add/",
    "admin/cases/case/import/",
    "admin/cases/slatarget/",
    "admin/cases/slatarget/add/",
    "admin/cases/slatarget/{id}/change/",
    "admin/cases/slatarget/{id}/delete/",
    "admin/cases/slatarget/{id}/history/",
]
# Lead elsewhere by the id alone.
FORWARDS = [
    "admin/audit/auditevent/{id}/", "admin/outbox/outboxevent/{id}/", "admin/auth/user/{id}/",
    "admin/auth/group/{id}/", "admin/config/apitoken/{id}/", "admin/config/linkedidentity/{id}/",
    "admin/config/accountsession/{id}/",
    "admin/otp_totp/totpdevice/{id}/", "admin/axes/accessattempt/{id}/",
    "admin/axes/accessfailurelog/{id}/", "admin/axes/accesslog/{id}/",
    "admin/cases/slatarget/{id}/",
]  # fmt: skip


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        here = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, here)
        else:
            yield here


def plain(address: str) -> str:
    """Write an address as the classes above do: without regex signs and without its version."""
    address = re.sub(
        r"\(\?P<case_id>[^)]*\)|<str:case_id>|<path:object_id>|<id>|<uuid:\w+>", "{id}", address
    )
    address = address.replace("<path:content_type_id>", "{type}")
    address = re.sub(r"\(\?P<app_label>[^)]*\)", "{app}", address)
    address = re.sub(r"\(\?P<url>[^)]*\)", "{url}", address)
    return address.replace("^", "").replace("$", "").removeprefix("v1/")
