"""Who is to review: suggested with the work they have, or named by hand as the API allows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django import forms

from cases import intake, reviewers
from cases.admin.forms import ActionForm
from cases.models import Case
from cases.reviewers import Candidate

# So many stand there to be chosen; the others are offered as a name is typed.
MOST_SHOWN: Final = 5


@dataclass(frozen=True)
class Suggestion:
    """A candidate as the form shows it."""

    candidate: Candidate
    me: bool
    least: bool
    chosen: bool


class ReviewerForm(ActionForm):
    """A candidate, or the name of somebody else, which is asked about once more."""

    offers_reviewers: Final = True

    suggested = forms.CharField(required=False, max_length=intake.ACTOR_MAX)
    reviewer_id = forms.CharField(
        label="Name of the account", required=False, max_length=intake.ACTOR_MAX
    )

    candidates: list[Candidate]
    _asked_about = ""

    def prefill(self, case: Case) -> None:
        """Look for candidates; the present reviewer is chosen, until somebody else is."""
        self.candidates = reviewers.candidates(case.id, self.actor)
        given = self.initial.pop("reviewer_id", "") or case.assigned_reviewer_id or ""
        known = given in self._names()
        self.fields["suggested" if known else "reviewer_id"].initial = given
        typed = self.fields["reviewer_id"].widget
        typed.attrs |= {"list": "other-reviewers", "autocomplete": "off", "spellcheck": "false"}
        if self.candidates:
            typed.attrs["data-other"] = "somebody-else"

    def clean(self) -> dict[str, Any]:
        """Return who was chosen or named, and nothing else that was asked for it."""
        given = super().clean() or self.cleaned_data
        chosen, typed = given.pop("suggested", ""), given.get("reviewer_id", "")
        name = given["reviewer_id"] = typed or chosen
        if "reviewer_id" in self.errors or "suggested" in self.errors:
            return given
        if typed and chosen and typed != chosen:
            self.add_error("reviewer_id", f"{chosen} is chosen and {typed} is typed: who is it?")
        elif not name:
            self.add_error("reviewer_id", "Choose a reviewer, or name one.")
        elif name not in {*self._names(), self.asked_about}:
            self._asked_about = name
            why = (
                f"{name} is not among those who may see and review this case. "
                "If that is the right name all the same, send the form again."
            )
            self.add_error("reviewer_id", why)
        return given

    def _names(self) -> set[str]:
        return {one.reviewer_id for one in self.candidates}

    @property
    def asked_about(self) -> str:
        """The name that is asked about, or was: sent again with it, the form means it."""
        return self._asked_about or str(self.data.get("sure", ""))

    def suggestions(self) -> list[Suggestion]:
        """Return who is shown: those with the least open work, and who asks."""
        shown = self.candidates[:MOST_SHOWN]
        shown += [one for one in self.candidates[MOST_SHOWN:] if one.reviewer_id == self.actor.id]
        chosen = self["suggested"].value()
        return [
            Suggestion(
                candidate=one,
                me=one.reviewer_id == self.actor.id,
                least=n == 0 and len(self.candidates) > 1,
                chosen=one.reviewer_id == chosen,
            )
            for n, one in enumerate(shown)
        ]

    def others(self) -> list[Candidate]:
        """Return the candidates that are not shown."""
        return self.candidates[MOST_SHOWN:]
