"""What the views of cases share: who calls, reading a body, refusing what nothing reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, Final, cast

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cases import services
from cases.api.serializers import CaseSerializer, StrictSerializer
from cases.errors import CaseError, RightsUnconfirmed
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


@cache
def _instances(classes: tuple[type[Any], ...]) -> list[Any]:
    return [made() for made in classes]


class ActorView(APIView):
    """For views that ``IsActor`` guards."""

    # Handlers whose first statement also tells whether remembered rights still hold: then nobody
    # has to be asked for them before.
    confirming: ClassVar[frozenset[str]] = frozenset()
    _by_remembered_rights: bool | None = None  # not yet known
    _unreadable: Exception | None = None
    # What the request is to do to a case, once the view knows.
    case_action: CaseAction | None = None

    def takes_remembered_rights(self) -> bool:
        """Tell whether this request begins by reading cases: the list, or the one it is about.

        A request with an Idempotency-Key begins by looking for its first answer. Within a larger
        transaction nothing can be decided twice: a refusal spoils it.
        """
        return (
            self._by_remembered_rights is None
            and not transaction.get_connection().in_atomic_block
            and getattr(self, "action", None) in self.confirming
            and "HTTP_IDEMPOTENCY_KEY" not in self.request.META
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the request in, and note on what its rights rest."""
        super().initial(request, *args, **kwargs)
        self._by_remembered_rights = self.actor.rights_version is not None

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return who tells the caller; they keep nothing of a request, so all share them."""
        return _instances(tuple(self.authentication_classes))

    def get_permissions(self) -> list[BasePermission]:
        """Return who lets the caller in; shared likewise."""
        return _instances(tuple(self.permission_classes))

    def get_parsers(self) -> list[BaseParser]:
        """Return who reads bodies; shared likewise."""
        return _instances(tuple(self.parser_classes))

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a refusal; one that rests on remembered rights is decided again on fresh ones.

        Nothing was changed by then: the services refuse before they commit.
        """
        if not (
            self._by_remembered_rights
            and isinstance(exc, RightsUnconfirmed | CaseError | APIException)
        ):
            return super().handle_exception(exc)
        self._by_remembered_rights = False
        try:
            self.request._authenticate()  # type: ignore[attr-defined] # noqa: SLF001 (DRF has no other way to ask anew)
            self.check_permissions(self.request)
            handler: Callable[..., Response] = getattr(self, str(self.request.method).lower())
            return handler(self.request, *self.args, **self.kwargs)
        except Exception as error:  # noqa: BLE001 (as in DRF's dispatch: what nobody knows is raised again)
            return super().handle_exception(error)

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
        self.case_action = action
        try:
            self.only_parameters()
            given: dict[str, Any] = _reader(form, partial).run_validation(self._body())
        except Exception:
            services.check_may(action=action, actor=self.actor, case_id=case_id)
            raise
        return given

    def _body(self) -> Any:
        # After a body that cannot be read DRF has an empty one: whoever decides again must not
        # take that for what was sent.
        if self._unreadable is not None:
            raise self._unreadable
        try:
            return self.request.data
        except Exception as error:
            self._unreadable = error
            raise

    def only_parameters(self, *known: str) -> None:
        """Refuse query parameters that nothing reads: a misspelt filter must not widen a list.

        Raises:
            ValidationError: names each of them.
        """
        if not self.request.META.get("QUERY_STRING"):
            return
        if unknown := set(self.request.query_params).difference(known):
            raise serializers.ValidationError(
                {name: ["There is no such parameter."] for name in sorted(unknown)}
            )
