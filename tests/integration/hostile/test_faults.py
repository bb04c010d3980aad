"""Whatever goes wrong behind a route, the answer says that it did, and how to find it in the logs, and nothing else."""

from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from tests.integration.hostile.conftest import Door, Route

pytestmark = pytest.mark.integration

SECRET = "秘密 13800001111 SELECT name FROM citizen"
JSON = {"content-type": "application/json"}
FAULTS = [
    RuntimeError(SECRET),
    psycopg.errors.UniqueViolation(f'duplicate key\nDETAIL:  Key (name)=("{SECRET}") exists'),
    psycopg.errors.SyntaxError(SECRET),
    UnicodeEncodeError("utf-8", SECRET, 0, 1, SECRET),
    RecursionError(SECRET),
    KeyError(SECRET),
]


def test_whatever_is_raised_behind_a_route_the_answer_tells_nothing(door: Door, monkeypatch):
    raised: list[Exception] = []

    async def fail(*_: object, **__: object) -> None:
        raise raised[0]

    # The one step that every route goes through, whatever its own call is and wants, and that of the short ways.
    monkeypatch.setattr("fastapi.routing.solve_dependencies", fail)
    monkeypatch.setattr("shared.shortcut.ShortWay.answer", fail)
    met = 0
    with capture_logs() as logs:
        for fault in FAULTS:
            raised[:] = [fault]
            for route in door.routes:
                content = {"content": b"{}", "headers": JSON} if route.method in {"POST", "PUT", "PATCH"} else {}
                met += check_silence(door.ask(route, **content), route, fault)  # type: ignore[arg-type] # of a client

    assert met >= len(FAULTS) * 5
    assert len([line for line in logs if line["event"] == "request_failed"]) == met


def check_silence(answer: Any, route: Route, fault: Exception) -> bool:
    if answer.status_code in {413, 415}:  # the path of a form takes no JSON
        return False
    assert answer.status_code == 500, (route, answer.status_code, answer.text)
    if route.method != "HEAD":  # its answer has no body
        assert answer.json()["title"] == "internal-error", route
    assert len(answer.headers["x-correlation-id"]) >= 8
    for piece in ("秘密", "13800001111", "SELECT", "Traceback", "psycopg", type(fault).__name__, ".py"):
        assert piece not in answer.text, (route, piece)
    return True
