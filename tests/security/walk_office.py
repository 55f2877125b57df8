"""The office that is walked through: a row for every page, a case that is hidden, and who walks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from django.utils.timezone import now

from audit.models import AuditEvent
from cases import services
from cases.models import Case, SlaTarget, UploadedRegister
from config import tokens
from config.models import ApiToken, LinkedIdentity
from outbox.models import OutboxEvent
from tests.cast import ALMIGHTY, SUPERVISOR
from tests.factories import CaseFactory, UserFactory
from tests.integration.uploads import register, upload
from tests.security.rights import MAY
from tests.security.walk_addresses import Address, Arguments, admin_addresses
from tests.security.walk_ledger import Walker

SECRET = "Zinnober"  # whatever the hidden case holds begins so, with a dash after it
PAT = "pat"
EVERYTHING = frozenset(MAY["admin"])


@dataclass(frozen=True)
class Part:
    """What Pat is on one walk."""

    name: str
    roles: tuple[str, ...] = ()
    superuser: bool = False
    granted: bool = False

    @property
    def may(self) -> frozenset[str]:
        """The actions that the contract gives to it."""
        if self.superuser:
            return EVERYTHING
        return frozenset().union(*(MAY[role] for role in self.roles))

    @property
    def sees_everything(self) -> bool:
        """Tell whether no case is hidden from it."""
        return self.superuser or bool({"supervisor", "auditor", "admin"} & set(self.roles))


PARTS = [
    Part("nobody with a role"),
    Part("granted one case", granted=True),
    *(Part(role, (role,)) for role in MAY),
    Part("superuser", superuser=True),
]

# One case for each state that an action starts from. Made again when somebody has changed it.
KINDS: dict[str, Callable[[], Case]] = {
    "draft": lambda: CaseFactory(writer=ALMIGHTY),
    "submitted": lambda: CaseFactory(status="SUBMITTED", writer=ALMIGHTY),
    "paused": lambda: _opened_to(CaseFactory(status="UNDER_REVIEW", paused=True, writer=ALMIGHTY)),
}


def _opened_to(case: Case, name: str = "grace") -> Case:
    return services.grant_access(
        case_id=case.id, user=name, permission="view_case", actor=SUPERVISOR
    )


class Office:
    """What stands in the database, and the browser of who walks."""

    def __init__(self, part: Part) -> None:
        for name in ("grace", "vera"):
            UserFactory(username=name, password=None)
        UserFactory(username="rosa", password=None, roles=["reviewer"])
        self.part = part
        self.pat = UserFactory(
            username=PAT, password=None, roles=list(part.roles), is_superuser=part.superuser
        )
        self.kinds = {kind: make() for kind, make in KINDS.items()}
        self.hidden = self._hide()
        if part.granted:
            theirs = CaseFactory(status="UNDER_REVIEW", restricted=True)
            self.kinds["draft"] = _opened_to(theirs, PAT)
        self.mine, self.theirs = self._kept_for(self.pat), self._kept_for(self._wanda())
        self._rows_of_the_service()
        self.refresh()

    def _hide(self) -> Case:
        case = CaseFactory(
            status="UNDER_REVIEW", restricted=True, title=f"{SECRET}-title",
            description=f"{SECRET}-description", subject=f"{SECRET}-subject",
            category=f"{SECRET}-category", source=f"{SECRET}-source",
            external_reference=f"{SECRET}-reference-{uuid4()}", writer=ALMIGHTY,
        )  # fmt: skip
        services.add_note(case_id=case.id, body=f"{SECRET}-note", actor=ALMIGHTY)
        return _opened_to(case)

    def _wanda(self) -> User:
        return UserFactory(username="wanda", password=None, roles=["admin"])

    def _kept_for(self, account: User) -> dict[str, str]:
        """Let somebody upload a register and choose cases; return the names of what is kept."""
        browser = Client()
        browser.force_login(account)
        upload(
            browser, register(f"R-1,{SECRET}-row,," if account.username == "wanda" else "R-1,x,,")
        )
        uploaded = UploadedRegister.objects.filter(actor_id=account.username).first()
        chosen = [f"{case.id}:{case.version}" for case in (*self.kinds.values(), self.hidden)]
        sent = {"do": "assign", "reviewer_id": "rosa", "chosen": chosen}
        answer = browser.post("/admin/cases/case/", sent)
        kept = answer.headers.get("Location", "").rstrip("/").rpartition("/")[-1]
        return {"register": str(uploaded.id if uploaded else uuid4()), "key": kept or str(uuid4())}

    def _rows_of_the_service(self) -> None:
        tokens.create_token(user=User.objects.get(username="rosa"), name="x", days=1, by="ada")
        LinkedIdentity.objects.create(
            user=User.objects.get(username="vera"), issuer="https://id.example.org", subject="v"
        )
        attempt = {"username": "x", "ip_address": "192.0.2.7", "user_agent": "x"}
        AccessAttempt.objects.create(failures_since_start=1, attempt_time=now(), **attempt)
        AccessLog.objects.create(attempt_time=now(), **attempt)
        AccessFailureLog.objects.create(attempt_time=now(), **attempt)
        self.group = Group.objects.create(name="walked over").pk
        # What a superuser takes away on the walk goes on being asked for.
        self.first = {model: model._default_manager.first() for model in admin.site._registry}
        lacking = [model.__name__ for model, row in self.first.items() if row is None]
        assert lacking == [], "Make a row of each, and its pages are walked."

    def browser(self) -> Client:
        """Return a browser in which Pat is logged in."""
        client = Client(raise_request_exception=False)
        client.force_login(self.pat)
        return client

    def walker(self) -> Walker:
        """Return who walks."""
        return Walker(PAT, self.pat.pk, self.part.may, self.pat.has_perm)

    def cases(self) -> list[Case]:
        """Return the cases whose pages are walked: a draft, the hidden one, the others."""
        draft, *others = self.kinds.values()
        return [draft, self.hidden, *others]

    def refresh(self) -> bool:
        """Put a new case in the place of each that was changed; tell whether there was one."""
        versions = dict(Case.objects.values_list("pk", "version"))
        changed = [k for k, case in self.kinds.items() if versions[case.id] != case.version]
        for kind in changed:
            self.kinds[kind] = KINDS[kind]()
        if decided := versions[self.hidden.id] != self.hidden.version:
            self.hidden = self._hide()
        return bool(changed) or decided

    def addresses(self) -> list[Address]:
        """Return every address of the back office, filled with what stands in the office now."""
        return admin_addresses(self._arguments())

    def _arguments(self) -> Arguments:
        cases = tuple(case.id for case in self.cases())
        about = (self.kinds["draft"].id, self.hidden.id)
        chosen: dict[type[Model], list[object]] = {
            Case: list(cases),
            User: [User.objects.get(username="vera").pk],
            Group: [self.group],
            SlaTarget: ["HIGH"],
            AuditEvent: [AuditEvent.objects.filter(case_id=one)[0].pk for one in about],
            OutboxEvent: [OutboxEvent.objects.filter(case_id=one)[0].pk for one in about],
        }
        rows = {
            model: tuple(map(str, chosen.get(model, [first.pk])))
            for model, first in self.first.items()
        }
        others = {
            "case_id": cases,
            "object_id": about,  # of any kind: Django's way to a page on the site
            "content_type_id": (str(ContentType.objects.get_for_model(Case).pk),),
            "app_label": tuple(sorted({model._meta.app_label for model in admin.site._registry})),
            "key": (self.mine["key"], self.theirs["key"]),
            "register_id": (self.mine["register"], self.theirs["register"]),
            "url": ("no/such/page/",),
        }
        return Arguments(rows, others)


@contextmanager
def office_of(part: Part) -> Iterator[Office]:
    """Set the office up, and put back what no sweep of the tables puts back.

    A superuser takes even the roles away on the walk, and may: later tests need them.
    """
    targets = dict(SlaTarget.objects.values_list("pk", "working_days"))
    roles = {group: set(group.permissions.all()) for group in Group.objects.all()}
    try:
        yield Office(part)
    finally:
        ApiToken.objects.all().delete()
        for model in (AccessAttempt, AccessLog, AccessFailureLog):
            model.objects.all().delete()
        for priority, days in targets.items():
            SlaTarget.objects.filter(pk=priority).update(working_days=days)
        Group.objects.exclude(pk__in=[group.pk for group in roles]).delete()
        for group, permissions in roles.items():
            group.save()
            group.permissions.set(permissions)
