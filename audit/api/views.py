"""The trail of a case, for who may read the case."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import AuditEvent
from audit.selectors import trail_of
from cases.events import rfc3339
from cases.policies import Actor
from cases.selectors import get_case


class AuditEventSerializer(serializers.Serializer[AuditEvent]):
    """One event of a trail."""

    id = serializers.UUIDField()
    case_id = serializers.CharField()
    sequence = serializers.IntegerField()
    event_type = serializers.CharField()
    actor_id = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    request_id = serializers.CharField()
    details = serializers.DictField()
    previous_hash = serializers.CharField(help_text="SHA-256, hexadecimal.")
    hash = serializers.CharField(help_text="SHA-256, hexadecimal.")

    def to_representation(self, instance: AuditEvent) -> dict[str, Any]:
        """Write the event without building fields per request."""
        return {
            "id": str(instance.id),
            "case_id": instance.case_id,
            "sequence": instance.sequence,
            "event_type": instance.event_type,
            "actor_id": instance.actor_id,
            "occurred_at": rfc3339(instance.occurred_at),
            "recorded_at": rfc3339(instance.recorded_at),
            "request_id": instance.request_id,
            "details": instance.details,
            "previous_hash": bytes(instance.previous_hash).hex(),
            "hash": bytes(instance.hash).hex(),
        }


EVENT = AuditEventSerializer()


class CaseTrailView(generics.GenericAPIView[AuditEvent]):
    """The audit events of one case, oldest first."""

    serializer_class = AuditEventSerializer
    queryset = AuditEvent.objects.none()
    keyset = ("sequence",)

    @extend_schema(
        operation_id="cases_audit_events_list", responses=AuditEventSerializer(many=True)
    )
    def get(self, request: Request, case_id: str) -> Response:
        """List the events of a case, oldest first."""
        get_case(case_id, cast(Actor, request.auth))
        if unknown := set(request.query_params) - {"limit", "cursor"}:
            raise serializers.ValidationError(
                {name: ["There is no such parameter."] for name in sorted(unknown)}
            )
        page = self.paginate_queryset(trail_of(case_id))
        return self.get_paginated_response([EVENT.to_representation(e) for e in page or ()])
