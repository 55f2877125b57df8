"""Logs: JSON lines for machines, a readable form for a person at a terminal."""

from __future__ import annotations

import logging.config
from typing import Any

import orjson
import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def _json(line: Any, **kwargs: Any) -> str:
    """Write a log line; what is none of JSON's types, as text."""
    del kwargs
    return orjson.dumps(line, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def configure(*, level: str, form: str, sql: bool) -> None:
    """Set up structlog and the standard library's loggers alike, on standard error.

    Args:
        level: the least level that is written, like ``INFO``.
        form: ``json`` or ``console``.
        sql: write every SQL statement as well.
    """
    # Plain tracebacks: the decorated ones print local variables, and those hold what users wrote.
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_json)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
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
                # Several lines for each log-in; config.logins tells the same in one.
                "axes": {"level": "ERROR"},
            },
        }
    )
