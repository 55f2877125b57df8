"""Where django-fsm-2 has sharp edges, what we rely on is pinned here."""

from __future__ import annotations

import pytest
from django.db import models
from django_fsm import FSMField, FSMModelMixin, TransitionNotAllowed, transition

from cases.models import Case
from tests.cast import ALMIGHTY
from tests.factories import CaseFactory

STATUS = Case._meta.get_field("status")


def test_the_status_cannot_be_assigned() -> None:
    case = Case(title="x")

    with pytest.raises(AttributeError, match="status"):
        case.status = "CLOSED"

    assert case.status == "DRAFT"


def test_every_source_is_a_list_of_statuses_and_no_wildcard() -> None:
    sources = {step.source for step in Case().get_all_status_transitions()}

    assert sources == {"DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED"}


def test_a_wildcard_source_would_let_every_status_through() -> None:
    class Loose(models.Model):
        state = FSMField(default="new", protected=True)

        class Meta:
            app_label = "tests_of_fsm"

        @transition(field=state, source="*", target="done")
        def finish(self) -> None:
            """Finish, wherever it stands: why our transitions name their sources."""

    thing = Loose(state="a status nobody has heard of")

    thing.finish()

    assert thing.state == "done"


def test_a_permission_is_not_enforced_by_calling_the_method() -> None:
    class Guarded(models.Model):
        state = FSMField(default="new", protected=True)

        class Meta:
            app_label = "tests_of_fsm"

        @transition(field=state, source=["new"], target="done", permission=lambda *_: False)
        def finish(self) -> None:
            """Finish: which is why the services authorize, and no transition has a permission."""

    thing = Guarded()

    thing.finish()

    assert thing.state == "done"
    assert not any(step.permission for step in Case().get_all_status_transitions())


def test_no_transition_hides_a_failure_behind_a_status() -> None:
    assert not any(step.on_error for step in Case().get_all_status_transitions())


def test_a_transition_that_fails_leaves_the_status_alone() -> None:
    case = Case(status="DRAFT")

    with pytest.raises(AttributeError):
        case.update(fields={"no_such_field": 1}, actor=ALMIGHTY, at=None)

    assert (case.status, case.version) == ("DRAFT", 0)


def test_case_does_not_take_the_mixin_that_opens_the_field_for_all() -> None:
    assert not issubclass(Case, FSMModelMixin)


@pytest.mark.django_db
def test_a_case_is_not_refreshed_but_read_again() -> None:
    case = CaseFactory()

    with pytest.raises(AttributeError):
        case.refresh_from_db()

    assert STATUS.protected
    assert Case.objects.get(pk=case.id).status == "DRAFT"


@pytest.mark.django_db
def test_other_fields_are_refreshed_without_opening_the_status() -> None:
    case = CaseFactory(title="As stored")
    case.title = "As typed"

    case.refresh_from_db(fields=["title"])

    assert case.title == "As stored"
    with pytest.raises(AttributeError):
        case.status = "CLOSED"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "lean",
    [
        pytest.param(lambda cases: cases.only("id", "title"), id="only"),
        pytest.param(lambda cases: cases.defer("status"), id="defer"),
    ],
)
def test_a_status_that_was_not_loaded_is_loaded_when_asked_for_and_stays_protected(lean) -> None:
    made = CaseFactory(status="SUBMITTED")
    case = lean(Case.objects.all()).get(pk=made.id)
    assert "status" in case.get_deferred_fields()

    assert case.status == "SUBMITTED"

    assert STATUS.protected
    with pytest.raises(AttributeError):
        case.status = "CLOSED"


@pytest.mark.django_db
def test_a_transition_on_a_lean_case_still_asks_for_the_real_status() -> None:
    made = CaseFactory(status="SUBMITTED")
    case = Case.objects.only("id").get(pk=made.id)

    with pytest.raises(TransitionNotAllowed):
        case.submit(actor=ALMIGHTY, at=made.updated_at)
