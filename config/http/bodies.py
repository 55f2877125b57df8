"""Bodies of unannounced length (RFC 9112, chunked): read before Django, which would see none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import IO, Any, Final

from django.conf import settings

_CHUNK: Final = 65_536
# A refused body is read up to here, so that the caller, still sending, gets to see the answer.
_PATIENCE: Final = 33_554_432

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def with_length(application: Application) -> Application:
    """Give every request body a length, as WSGI servers leave it to the application.

    One byte more than is allowed is kept, so that the parser refuses what is too large.
    """

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
            body = read_up_to(environ["wsgi.input"], settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return application(environ, start_response)

    return wrapped


def read_up_to(stream: IO[bytes], most: int) -> bytes:
    """Return the body, at most ``most`` bytes of it; what is beyond is read and dropped."""
    body = bytearray()
    while len(body) < most and (chunk := stream.read(min(_CHUNK, most - len(body)))):
        body += chunk
    left = _PATIENCE
    while len(body) >= most and left > 0 and (chunk := stream.read(_CHUNK)):
        left -= len(chunk)
    return bytes(body)
