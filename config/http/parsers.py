"""Reads request bodies: JSON, the whole JSON and nothing but JSON, of a bounded size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.http import UnreadablePostError
from rest_framework import exceptions
from rest_framework.parsers import BaseParser

from cases import strict_json
from config.http.bodies import read_up_to
from config.http.media_types import is_utf_8


class PayloadTooLarge(exceptions.APIException):
    """The body is larger than this service takes."""

    status_code = 413
    default_detail = "The body is larger than this service takes."
    default_code = "payload_too_large"


class UnsupportedEncoding(exceptions.UnsupportedMediaType):
    """The body is compressed; the answer says that it is taken as it is (RFC 9110, 15.5.16)."""

    default_detail = "The body is encoded as {media_type}: send it as it is, without encoding."


class StrictJSONParser(BaseParser):
    """RFC 8259 in UTF-8: no NaN, no repeated names, no depth or number that breaks a reader."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the parsed body.

        Raises:
            ParseError: the body is not JSON, or did not come whole.
            UnsupportedMediaType: it says that it is compressed, or not in UTF-8.
            PayloadTooLarge: it is larger than ``DATA_UPLOAD_MAX_MEMORY_SIZE``.
        """
        _check_encoding((parser_context or {})["request"].headers.get("Content-Encoding", ""))
        _check_charset(media_type or "")
        maximum = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        try:
            raw = read_up_to(stream, maximum + 1)
        except UnreadablePostError:
            message = "The body stopped before its end."
            raise exceptions.ParseError(message) from None
        if len(raw) > maximum:
            raise PayloadTooLarge
        try:
            return strict_json.loads(raw.decode("utf-8-sig"))
        except UnicodeDecodeError:
            message = "The body is not valid JSON: it is not UTF-8."
        except strict_json.NotJSON as error:
            message = f"The body is not valid JSON: {error}."
        raise exceptions.ParseError(message)


def _check_encoding(given: str) -> None:
    # To read it is to take a bomb of unknown size, to ignore it to guess: neither.
    if given.strip().lower() not in ("", "identity"):
        raise UnsupportedEncoding(given)


def _check_charset(content_type: str) -> None:
    # RFC 8259, 8.1: JSON is UTF-8. Who says otherwise may well mean it.
    if not is_utf_8(content_type):
        raise exceptions.UnsupportedMediaType(content_type)
