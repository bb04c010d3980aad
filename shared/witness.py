"""The middleware that records reads of what is confidential, and refusals, before the answer leaves."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from fastapi.routing import APIRoute

from shared import reach
from shared.access.principal import Principal
from shared.access.refusals import KnownOnce, Refusals
from shared.audit.chain import Line
from shared.audit.trail import AuditAway, Trail
from shared.edge import Application, Message, Receive, Scope, Send, send_problem
from shared.policy import POLICY

ASKED: Final = "lianxin.asked"
REFUSED: Final = "lianxin.refused"
MOST_QUERY_ITEMS: Final = 20
_IDENTIFIER: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
# What lists are filtered by and may be remembered. Anything else in a query could be somebody's name or number.
FILTERS: Final = frozenset(
    {
        "account_id", "action", "actor", "cursor", "decision", "from", "kind", "limit", "object_id", "object_type",
        "organisation", "peer_group", "period", "scheme", "sort", "status", "subject", "until",
    }
)  # fmt: skip


def remember(scope: MutableMapping[str, Any], principal: Principal, action: str) -> None:
    """Let the witness know who asks for what. The reach that is granted follows, unless it is refused."""
    scope[ASKED] = [principal, action, None]


def remember_reach(scope: MutableMapping[str, Any], granted: reach.Reach) -> None:
    scope[ASKED][2] = granted


def asker_of(scope: MutableMapping[str, Any]) -> Principal | None:
    """Who asks, if that is known, also of whom is refused what was asked for."""
    asked = scope.get(ASKED)
    return None if asked is None else cast("Principal", asked[0])


def remember_refusal(scope: MutableMapping[str, Any], known: KnownOnce, action: str) -> None:
    """Let the witness know who is refused, though known once."""
    scope[REFUSED] = (known, action)


class Witness:
    """Holds back the beginning of an answer until the audit has it; without audit there is no answer."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._refusals = Refusals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        withheld = False

        async def send_once_recorded(message: Message) -> None:
            nonlocal withheld
            if message["type"] == "http.response.start":
                line = line_of(scope, message["status"]) or self._line_of_refusal(scope)
                if line is not None and not await _record(scope, line):
                    withheld = True
                    await send_problem(send, 503, AuditAway.code, "what was asked could not be recorded")
            if not withheld:
                await send(message)

        await self._app(scope, receive, send_once_recorded)

    def _line_of_refusal(self, scope: Scope) -> Line | None:
        if REFUSED not in scope:
            return None
        known, action = scope[REFUSED]
        passed_over = self._refusals.count(known)
        if passed_over is None:
            return None
        return Line(
            action="authentication.refused",
            object_type=known.object_type,
            object_id=known.object_id,
            decision="denied",
            reason=known.reason,
            details={"asked": action, "passed_over": passed_over},
            actor=known.actor,
            account_id=known.account_id,
            role="none",
        )


async def _record(scope: Scope, line: Line) -> bool:
    trail: Trail | None = getattr(scope["app"].state, "trail", None)
    if trail is None:  # no app with confidential reads starts without one
        return line.decision == "denied"
    granted: reach.Reach | None = scope[ASKED][2] if ASKED in scope else None
    try:
        with reach.acting(granted):
            await trail.submit(line)
    except AuditAway:
        return False
    return True


def line_of(scope: Scope, status: int) -> Line | None:
    """What an answer of this status leaves in the audit, if anything."""
    if ASKED not in scope:
        return None
    principal, action, granted = scope[ASKED]
    is_read = POLICY[action].sensitive_read
    if not (status == 403 or (is_read and (status < 400 or status == 404))):
        return None
    named = [_tell(str(value), found=status < 400) for value in scope.get("path_params", {}).values()]
    roles = ",".join(sorted({grant.role for grant in principal.grants}))
    return Line(
        action=action,
        object_type=action.partition(".")[0],
        object_id="/".join(named) or None,
        decision="allowed" if status < 400 else "denied",
        reason={403: "forbidden", 404: "not-found"}.get(status),
        details=_details(scope, found=status < 400),
        actor=principal.name,
        account_id=principal.account_id,
        role=granted.role if granted is not None else roles or "none",
    )


def _details(scope: Scope, *, found: bool) -> Mapping[str, Any]:
    route = scope.get("route")
    checked = FILTERS & _checked_names(route)
    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), max_num_fields=None, errors="replace")
    filters = {name: _tell(value[:200], found=found) for name, value in query[:MOST_QUERY_ITEMS] if name in checked}
    path = getattr(route, "path_format", "unmatched")
    return {"route": path, "method": scope["method"], **({"query": filters} if filters else {})}


def _checked_names(route: object) -> set[str]:
    """What the route reads of a query. It has looked at no value of any other name."""
    return {field.alias for field in route.dependant.query_params} if isinstance(route, APIRoute) else set()


def _tell(value: str, *, found: bool) -> str:
    """What named something is remembered. What named nothing may be anything, also somebody's phone: only ids are."""
    return value if found or _IDENTIFIER.fullmatch(value) else "?"
