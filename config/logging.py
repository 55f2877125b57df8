"""Logs: JSON lines for machines, a readable form for a person at a terminal."""

from __future__ import annotations

import json
import logging.config
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict

from cases.signals import request_id


def _with_request_id(logger: object, method: str, line: EventDict) -> EventDict:
    """Add which request, command or job a line belongs to: the id that the trail has, too."""
    del logger, method
    if identity := request_id.get():
        line.setdefault("request_id", identity)
    return line


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    _with_request_id,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


class _Lines(structlog.BytesLogger):
    """Writes lines to standard error; ``name`` is for ``add_logger_name``."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr.buffer)
        self.name = name


def _json(line: Any, **kwargs: Any) -> bytes:
    """Write a log line; what is none of JSON's types, as text."""
    del kwargs
    try:
        return orjson.dumps(line, default=repr, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # text that is not Unicode, like a lone surrogate
        return json.dumps(line, default=repr).encode()


def _text(line: Any, **kwargs: Any) -> str:
    return _json(line, **kwargs).decode()


def configure(*, level: str, form: str, sql: bool) -> None:
    """Set up structlog and the standard library's loggers alike, on standard error.

    Args:
        level: the least level that is written, like ``INFO``.
        form: ``json`` or ``console``.
        sql: write every SQL statement as well.
    """
    # Plain tracebacks: the decorated ones print local variables, and those hold what users wrote.
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_text)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
    if form == "json":
        # Straight to the stream: by way of the standard library a line costs four times as much.
        structlog.configure(
            processors=[*_SHARED, structlog.processors.JSONRenderer(serializer=_json)],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=_Lines,
            cache_logger_on_first_use=True,
        )
    else:
        structlog.configure(
            processors=[
                structlog.stdlib.filter_by_level,
                *_SHARED,
                structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
            ],
            logger_factory=structlog.stdlib.LoggerFactory(),
            cache_logger_on_first_use=True,
        )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        renderer,
                    ],
                    "foreign_pre_chain": _SHARED,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "django.db.backends": {"level": "DEBUG" if sql else "INFO"},
                # Each request is told by config.middleware, with its outcome.
                "django.request": {"level": "CRITICAL"},
                # With a traceback for each; config.http.errors tells the same in one line.
                "django.security": {"level": "CRITICAL"},
                "django.security.csrf": {"level": "INFO"},
                # Several lines for each log-in; config.logins tells the same in one.
                "axes": {"level": "ERROR"},
                # Each request with its address, each broken connection: the drainer tells outcomes.
                "httpx": {"level": "WARNING"},
                "httpcore": {"level": "WARNING"},
                "aio_pika": {"level": "WARNING"},
                "aiormq": {"level": "CRITICAL"},
                # A collector of traces that is away is told of when spans are lost, not each try.
                "opentelemetry": {"level": "ERROR"},
                "urllib3": {"level": "WARNING"},
            },
        }
    )
