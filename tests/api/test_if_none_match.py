"""If-None-Match: who has the current version already is told so, and gets no body."""

from __future__ import annotations

import pytest

from tests.api.expect import refusal, the_case
from tests.cast import NOBODY, REVIEWER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("header", ['"1"', 'W/"1"', "*", '"7", "1"', 'W/"7" , W/"1"'], ids=str)
def test_the_current_version_is_not_sent_again(as_actor, header):
    case = CaseFactory(status="SUBMITTED")

    answer = as_actor(REVIEWER).get(f"/cases/{case.id}", HTTP_IF_NONE_MATCH=header)

    assert (answer.status_code, answer.headers["ETag"], answer.content) == (304, '"1"', b"")


@pytest.mark.parametrize("header", ['"0"', '"01"', '"1,7"', 'W/"2"', '""'], ids=str)
def test_another_version_is_sent(as_actor, header):
    case = CaseFactory(status="SUBMITTED")

    answer = as_actor(REVIEWER).get(f"/cases/{case.id}", HTTP_IF_NONE_MATCH=header)

    assert the_case(answer)["version"] == 1


@pytest.mark.parametrize("header", ["1", '"1', '"1", *', ""], ids=repr)
def test_what_is_no_list_of_etags_is_malformed(as_actor, header):
    case = CaseFactory()

    answer = as_actor(REVIEWER).get(f"/cases/{case.id}", HTTP_IF_NONE_MATCH=header)

    refusal(answer, 400, "malformed_request")


def test_a_case_that_the_actor_may_not_see_is_not_confirmed(as_actor):
    case = CaseFactory()

    answer = as_actor(NOBODY).get(f"/cases/{case.id}", HTTP_IF_NONE_MATCH="*")

    refusal(answer, 404, "case_not_found")
