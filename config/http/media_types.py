"""Media types that name another encoding than UTF-8: kept from Django, which would decode by it.

Python calls much an encoding that is none of text. By ``unicode_escape`` a form has characters that
no database keeps, and whatever counts wrong passwords fails; by ``zlib`` nothing can be read, and
Django fails before there is anybody to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.utils.http import parse_header_parameters

from config.http.bodies import Application

_UTF_8: Final = ("utf-8", "utf8")
# Python knows no encoding of this name, so Django ignores it, and what reads a body refuses it.
_REFUSED: Final = "other-than-utf-8"


def in_utf_8(application: Application) -> Application:
    """Let no request have another encoding: of one that names it, no body can be read."""

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        given = environ.get("CONTENT_TYPE", "")
        if ";" in given and not is_utf_8(given):
            environ["CONTENT_TYPE"] = f"{given.partition(';')[0]}; charset={_REFUSED}"
        return application(environ, start_response)

    return wrapped


def is_utf_8(media_type: str) -> bool:
    """Tell whether a media type names no encoding but UTF-8 (RFC 9110, 8.3.2).

    Nor does a parameter name one for itself, as with an asterisk it could (RFC 2231, 4).
    """
    if "*" in media_type.partition(";")[2]:
        return False
    charset = parse_header_parameters(media_type)[1].get("charset", "utf-8")
    return charset.lower() in _UTF_8
