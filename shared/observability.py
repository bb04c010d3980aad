"""Logs as JSON lines, and the correlation id that follows one request through every process."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog
from structlog.typing import EventDict

from shared.identifiers import new_digits

NO_CORRELATION = "none"
# In a traceback the lines after the message, up to the next exception; in the repr of an exception all that follows.
_QUOTED_ROWS = re.compile(r"(?:\n|\\n)(?:DETAIL|CONTEXT):.*?(?=\n\n(?:The above|During handling)|\Z)", re.DOTALL)
_correlation: ContextVar[str] = ContextVar("correlation_id", default=NO_CORRELATION)


def new_correlation_id() -> str:
    return new_digits(1)[0]


def correlation_id() -> str:
    return _correlation.get()


@contextmanager
def correlated(identifier: str) -> Iterator[None]:
    token = _correlation.set(identifier)
    try:
        yield
    finally:
        _correlation.reset(token)


def get_logger(**context: object) -> Any:  # noqa: ANN401 - structlog's bound loggers have no useful static type
    return structlog.get_logger(**context)


def is_debugging() -> bool:
    """Ask before telling of every request: a line is made whole before anybody looks at whether it is wanted."""
    return logging.getLogger().isEnabledFor(logging.DEBUG)


def withhold_quoted_rows(_: object, __: str, event: EventDict) -> EventDict:
    """Cut off what PostgreSQL adds to its messages: it quotes the row that failed, a citizen's words and all."""
    for name in ("event", "exception"):
        if isinstance(event.get(name), str):
            event[name] = _QUOTED_ROWS.sub("", event[name])
    return event


def configure_logging(*, service: str, process: str, level: str) -> None:
    """Send structlog's and the standard library's records to standard output, one JSON object a line."""

    def add_context(_: object, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        event["process"] = process
        event.setdefault("correlation_id", correlation_id())
        return event

    common: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_context,
        structlog.processors.format_exc_info,
        withhold_quoted_rows,
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    for noisy in ("pika", "amqp", "kombu", "celery.beat", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
