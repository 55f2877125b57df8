"""Which form an action asks with and which service carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from django import forms

from cases import services
from cases.admin.forms import (
    AccessForm,
    ActionForm,
    CaseFieldsForm,
    DueDateForm,
    NoteForm,
    ReasonForm,
)
from cases.admin.reviewer_form import ReviewerForm
from cases.errors import CaseError, InvalidInput
from cases.intake import WRITABLE
from cases.lifecycle import CaseAction
from cases.models import Case, Note
from cases.policies import Actor


class AdminAction(NamedTuple):
    """A button on the case page, the form behind it and what it calls."""

    label: str
    form: type[ActionForm]
    service: Callable[..., Case | Note]
    # What it means, said above the form, and what is said when it was done.
    about: str
    done: str


ACTIONS: Final[Mapping[CaseAction, AdminAction]] = MappingProxyType(
    {
        CaseAction.CREATE: AdminAction(
            "Create",
            CaseFieldsForm,
            services.create_case,
            "The case is a draft until somebody submits it; until then every field can be changed.",
            "taken in as a draft.",
        ),
        CaseAction.UPDATE: AdminAction(
            "Change fields",
            CaseFieldsForm,
            services.update_case,
            "The trail keeps the old and the new value of each field that you change.",
            "changed.",
        ),
        CaseAction.SUBMIT: AdminAction(
            "Submit",
            ActionForm,
            services.submit_case,
            "The draft goes to review, and its fields are fixed from then on.",
            "submitted for review.",
        ),
        CaseAction.START_REVIEW: AdminAction(
            "Start review",
            ReviewerForm,
            services.start_review,
            "The reviewer takes the case up. Who created or submitted it may not decide on it.",
            "under review.",
        ),
        CaseAction.ASSIGN: AdminAction(
            "Assign",
            ReviewerForm,
            services.assign_reviewer,
            "The case goes to another reviewer; its status stays.",
            "assigned.",
        ),
        CaseAction.ESCALATE: AdminAction(
            "Escalate",
            ReasonForm,
            services.escalate_case,
            "The case is put before a higher level. Your reason stays in the trail.",
            "escalated.",
        ),
        CaseAction.CLOSE: AdminAction(
            "Close",
            ReasonForm,
            services.close_case,
            "This is final: a closed case is not opened again. Your reason stays in the trail.",
            "closed.",
        ),
        CaseAction.ADD_NOTE: AdminAction(
            "Add note",
            NoteForm,
            services.add_note,
            "A note is never changed and never deleted.",
            "note added.",
        ),
        CaseAction.SET_DUE_DATE: AdminAction(
            "Set due date",
            DueDateForm,
            services.set_due_date,
            "An overdue case gets a new chance with a new date. Your reason stays in the trail.",
            "due date set.",
        ),
        CaseAction.PAUSE: AdminAction(
            "Pause clock",
            ReasonForm,
            services.pause_clock,
            "The time to the due date stands still until the clock is resumed.",
            "clock paused.",
        ),
        CaseAction.RESUME: AdminAction(
            "Resume clock",
            ReasonForm,
            services.resume_clock,
            "The due date moves by the working time that the pause lasted.",
            "clock runs again.",
        ),
        CaseAction.RESTRICT: AdminAction(
            "Restrict",
            ReasonForm,
            services.restrict_case,
            "From then on the case exists only for its reviewer, supervisors, auditors and people "
            "who were granted access.",
            "restricted.",
        ),
        CaseAction.UNRESTRICT: AdminAction(
            "Lift restriction",
            ReasonForm,
            services.unrestrict_case,
            "From then on everybody with a role may read the case.",
            "no longer restricted.",
        ),
        CaseAction.GRANT_ACCESS: AdminAction(
            "Grant access",
            AccessForm,
            services.grant_access,
            "One person may do one thing on this one case. The trail names both.",
            "access granted.",
        ),
        CaseAction.REVOKE_ACCESS: AdminAction(
            "Revoke access",
            AccessForm,
            services.revoke_access,
            "The person loses what was granted on this one case.",
            "access revoked.",
        ),
    }
)


def carry_out(
    action: CaseAction, form: forms.Form, *, actor: Actor, case_id: str | None
) -> str | None:
    """Call the service of an action with what its form holds.

    Returns:
        The id of the case, or None when the form now says what is wrong.

    Raises:
        CaseError: a rule forbids it.
    """
    given: dict[str, Any] = dict(form.cleaned_data)
    version = given.pop("expected_version", None)
    if action in (CaseAction.CREATE, CaseAction.UPDATE):
        given = {"fields": {name: given[name] for name in WRITABLE}}
    if case_id is not None:
        given |= {"case_id": case_id, "expected_version": version}
    try:
        done = ACTIONS[action].service(actor=actor, **given)
    except InvalidInput as error:
        for name, why in error.details.items():
            form.add_error(name if name in form.fields else None, str(why))
        return None
    return done.case_id if isinstance(done, Note) else done.id


def outdated(error: CaseError) -> bool:
    """Tell whether the reader has to look at the case again before deciding."""
    return error.code in ("precondition_failed", "case_conflict")
