"""Which task messages a worker takes: the plain nudges that `worker.nudge` and the clock write, and nothing else.

Not a filter of what is known to be bad: whatever is not exactly such a nudge is refused, before Celery looks at it.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.errors import LianxinError

# A nudge comes to a few hundred bytes.
LONGEST_BODY_BYTES = 16_384
# Postponement, names for the log and follow-up tasks: nobody here writes them, and Celery would do as they say.
UNWANTED_HEADERS = ("eta", "shadow", "group", "chain", "chord", "callbacks", "errbacks")
EMBEDDED = {"callbacks", "errbacks", "chain", "chord"}
REASONS = ("content-type", "unknown-task", "headers", "too-long", "body", "arguments")


class NoNudge(LianxinError):
    """The message is none of ours. Its detail is one of REASONS and holds nothing of the message."""

    code = "no-nudge"


def read_nudge(
    body: bytes | str,
    headers: Mapping[str, Any],
    *,
    content: tuple[str | None, str | None],
    tasks: Mapping[str, Callable[..., object]],
) -> dict[str, Any]:
    """The headers for Celery to see. `content` is type and encoding, `tasks` what can be asked for. Raises NoNudge."""
    if content != ("application/json", "utf-8"):
        raise NoNudge("content-type")
    task = headers.get("task")
    if not isinstance(task, str) or task not in tasks:
        raise NoNudge("unknown-task")
    if any(headers.get(name) is not None for name in UNWANTED_HEADERS):
        raise NoNudge("headers")
    plain = {"lang": "py", "task": task, "id": _read_id(headers.get("id"))}
    if headers.get("expires") is not None:
        plain["expires"] = _read_time(headers["expires"])
    _check_arguments(_read_arguments(body), tasks[task])
    return plain


def _read_id(value: object) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise NoNudge("headers") from None


def _read_time(value: object) -> str:
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise NoNudge("headers") from None


def _read_arguments(body: bytes | str) -> dict[str, str]:
    if len(body) > LONGEST_BODY_BYTES:
        raise NoNudge("too-long")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise NoNudge("body") from None
    match content:
        case [[], dict() as arguments, dict() as embedded] if not any(embedded.values()) and EMBEDDED.issuperset(
            embedded
        ):
            return arguments
    raise NoNudge("body")


def _check_arguments(arguments: dict[str, str], task: Callable[..., object]) -> None:
    if not all(isinstance(value, str) for value in arguments.values()):
        raise NoNudge("arguments")
    try:
        inspect.signature(task).bind(**arguments)
    except TypeError:
        raise NoNudge("arguments") from None
