"""The audit trail of all cases as a file, for auditors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, cast

from django.http import QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.timezone import now
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from audit.exports import FORMATS, EventFilter
from cases import intake, policies, replica
from cases.lifecycle import LIFECYCLE
from cases.policies import Actor

_TYPES: Final = sorted(step.event.type for step in LIFECYCLE.values())


class _RuleField(serializers.Field[Any, str, Any, Any]):
    """A parameter with a rule of ``intake``."""

    def __init__(self, rule: Callable[[object], Any], **kwargs: Any) -> None:
        self.rule = rule
        super().__init__(required=False, **kwargs)

    def to_internal_value(self, data: str) -> Any:
        """Apply the rule."""
        try:
            return self.rule(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


@extend_schema_field({"type": "string", "maxLength": intake.ACTOR_MAX})
class _TextField(_RuleField):
    pass


@extend_schema_field(OpenApiTypes.DATETIME)
class _MomentField(_RuleField):
    pass


def _text(value: object) -> str:
    return intake.text(value, maximum=intake.ACTOR_MAX, required=True, one_line=True)


def _moment(value: object) -> datetime:
    return intake.moment(value)


class EventParameters(serializers.Serializer[Any]):
    """What an export of events can be asked for."""

    case_id = _TextField(_text, help_text="Only events of this case.")
    event_type = serializers.ListField(
        child=serializers.ChoiceField(choices=_TYPES),
        required=False,
        max_length=len(_TYPES),
        help_text="Only events of this type; repeat it for several.",
    )
    actor_id = _TextField(_text, help_text="Only what this actor did.")
    occurred_from = _MomentField(_moment, help_text="Occurred then or later.")
    occurred_to = _MomentField(_moment, help_text="Occurred before then.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a period that nothing can lie in."""
        begin, end = attrs.get("occurred_from"), attrs.get("occurred_to")
        if begin is not None and end is not None and begin >= end:
            raise serializers.ValidationError({"occurred_to": "Must be later than occurred_from."})
        return attrs


_PARAMETERS: Final = EventParameters()


def _read(query: QueryDict) -> EventFilter:
    wrong: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for name, values in query.lists():
        if name not in _PARAMETERS.fields:
            wrong[name] = ["There is no such parameter."]
        elif name == "event_type":
            given[name] = values
            if unknown := sorted(set(values).difference(_TYPES)):
                wrong[name] = [f"One of {', '.join(_TYPES)}; not {', '.join(map(repr, unknown))}."]
        elif len(values) > 1:
            wrong[name] = ["Give it once."]
        else:
            given[name] = values[0]
    try:
        clean = _PARAMETERS.run_validation(given)
    except serializers.ValidationError as error:
        wrong = {**cast(dict[str, Any], error.detail), **wrong}
    if wrong:
        raise serializers.ValidationError(wrong)
    return EventFilter(event_types=clean.pop("event_type", ()), **clean)


class _ExportView(APIView):
    """The trail as a file of some format."""

    export_format: str
    content_type: str

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 (DRF's signature)
        """Check what the caller accepts; what is rendered are refusals."""
        super().perform_content_negotiation(request, force)
        return JSONRenderer(), JSONRenderer.media_type

    def answer(self, request: Request) -> HttpResponseBase:
        """Send the file, if the caller may have it."""
        actor = cast(Actor, request.auth)
        policies.demand(actor, policies.EXPORT_AUDIT)
        export = FORMATS[self.export_format](actor, _read(request.query_params))
        name = f"audit-events-{now():%Y-%m-%d}.{self.export_format}"
        return StreamingHttpResponse(
            () if request.method == "HEAD" else replica.from_replica(export.start),
            content_type=self.content_type,
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


# Each renderer lets a caller ask for its format. The file is no rendering; refusals are JSON here
# as anywhere.
class JsonLinesRenderer(BaseRenderer):
    """JSON lines."""

    media_type = "application/jsonl"
    format = "jsonl"


class CsvRenderer(BaseRenderer):
    """CSV."""

    media_type = "text/csv"
    format = "csv"


class XesRenderer(BaseRenderer):
    """XES, which has no media type of its own."""

    media_type = "application/xml"
    format = "xes"


class JsonLinesExportView(_ExportView):
    """The trail as JSON lines."""

    renderer_classes = [JSONRenderer, JsonLinesRenderer]
    export_format = JsonLinesRenderer.format
    content_type = JsonLinesRenderer.media_type

    @extend_schema(
        operation_id="audit_events_export",
        parameters=[EventParameters],
        responses={(200, JsonLinesRenderer.media_type): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Export audit events as JSON lines, each as the trail of its case shows it.

        The events of a case stand together, oldest first. Needs the permission
        `export_audit_events`.
        """
        return self.answer(request)


class CsvExportView(_ExportView):
    """The trail as a table."""

    renderer_classes = [JSONRenderer, CsvRenderer]
    export_format = CsvRenderer.format
    content_type = f"{CsvRenderer.media_type}; charset=utf-8"

    @extend_schema(
        operation_id="audit_events_export_csv",
        parameters=[EventParameters],
        responses={(200, CsvRenderer.media_type): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Export audit events as CSV, a row each.

        UTF-8 with a byte order mark, RFC 4180, a head line. A text that a spreadsheet would take
        for a formula has an apostrophe before it. The events of a case stand together, oldest
        first. Needs the permission `export_audit_events`.
        """
        return self.answer(request)


class XesExportView(_ExportView):
    """The trail as an event log."""

    renderer_classes = [JSONRenderer, XesRenderer]
    export_format = XesRenderer.format
    content_type = f"{XesRenderer.media_type}; charset=utf-8"

    @extend_schema(
        operation_id="audit_events_export_xes",
        parameters=[EventParameters],
        responses={(200, XesRenderer.media_type): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Export audit events as an XES log (IEEE 1849), a trace for each case.

        Activity, time and actor of each event, and facts about the case; no titles, reasons or
        other free text. Needs the permission `export_audit_events`.
        """
        return self.answer(request)
