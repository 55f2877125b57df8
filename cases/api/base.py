"""What the views of cases share: who calls, reading a body, refusing what nothing reads."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.views import APIView

from cases import services
from cases.api.serializers import CaseSerializer, StrictSerializer
from cases.lifecycle import CaseAction
from cases.policies import Actor

PAGE_PARAMETERS: Final = ("limit", "cursor")


def describe(
    request: Any = None, answer: Any = CaseSerializer, status: int = 200, **more: Any
) -> Any:
    """Describe an operation for the OpenAPI document; its refusals are added for all alike."""
    return extend_schema(request=request, responses={status: answer}, **more)


@cache
def _reader(form: type[StrictSerializer], partial: bool) -> StrictSerializer:  # noqa: FBT001 (a key)
    """Return the one instance that reads bodies: building its fields costs more than using them."""
    return form(partial=partial)


class ActorView(APIView):
    """For views that ``IsActor`` guards."""

    @property
    def actor(self) -> Actor:
        """Who calls; ``IsActor`` has made sure that somebody does."""
        return cast(Actor, self.request.auth)

    def read_input(
        self,
        form: type[StrictSerializer],
        action: CaseAction,
        case_id: str | None = None,
        *,
        partial: bool = False,
    ) -> dict[str, Any]:
        """Return the checked body. Who may not act is told that, however wrong the body is.

        Raises:
            CaseError: the action is forbidden to this actor, or the case does not exist for it.
            APIException: the body is wrong, or there are query parameters, which no write reads.
        """
        try:
            self.only_parameters()
            given: dict[str, Any] = _reader(form, partial).run_validation(self.request.data)
        except Exception:
            services.check_may(action=action, actor=self.actor, case_id=case_id)
            raise
        return given

    def only_parameters(self, *known: str) -> None:
        """Refuse query parameters that nothing reads: a misspelt filter must not widen a list.

        Raises:
            ValidationError: names each of them.
        """
        if unknown := set(self.request.query_params).difference(known):
            raise serializers.ValidationError(
                {name: ["There is no such parameter."] for name in sorted(unknown)}
            )
