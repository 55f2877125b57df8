"""The notes of a case."""

from __future__ import annotations

from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from cases import selectors, services
from cases.api.base import PAGE_PARAMETERS, ActorView, describe
from cases.api.idempotency import once
from cases.api.preconditions import versions_to_match
from cases.api.serializers import NoteBodySerializer, NoteSerializer
from cases.lifecycle import CaseAction
from cases.models import Note


class CaseNotesView(ActorView, generics.GenericAPIView[Note]):
    """Read the notes of a case, or add one. Notes are never changed and never deleted."""

    serializer_class = NoteSerializer
    queryset = Note.objects.none()
    keyset = ("sequence",)

    @describe(answer=NoteSerializer(many=True), operation_id="cases_notes_list")
    def get(self, request: Request, case_id: str) -> Response:
        """Read the notes of a case, oldest first."""
        del request
        case = selectors.get_case(case_id, self.actor)
        self.only_parameters(*PAGE_PARAMETERS)
        page = self.paginate_queryset(selectors.notes_of(case)) or ()
        return self.get_paginated_response([NOTE.to_representation(note) for note in page])

    @describe(NoteBodySerializer, NoteSerializer, 201, operation_id="cases_notes_create")
    def post(self, request: Request, case_id: str) -> Response:
        """Add a note to a case."""
        given = self.read_input(NoteBodySerializer, CaseAction.ADD_NOTE, case_id)
        given |= {"case_id": case_id, "actor": self.actor}
        versions = versions_to_match(request)

        def work() -> Response:
            note = services.add_note(expected_version=versions, **given)
            return Response(NOTE.to_representation(note), status=201)

        return once(request, work)


NOTE = NoteSerializer()
