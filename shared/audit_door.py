"""The HTTP door to the audit, the same in every service: who may read it sees it, and is seen reading it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query, Response
from pydantic import Field

from shared import reach
from shared.access.principal import Principal
from shared.answers import Page, Shown, shows
from shared.audit.reading import SECURITY_TOPICS, Wanted, list_page
from shared.audit.records import Record, instant
from shared.audit.trail import Trail
from shared.database import Pool
from shared.edge import CodeText
from shared.errors import Rejected
from shared.http import AppPool, json_response, permit, take_routes
from shared.pages import BadCursor, decode_cursor, encode_cursor

router = APIRouter()
Text = Annotated[CodeText | None, Query()]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
LARGEST_SEQ = 10**15


class BadTime(Rejected):
    code = "bad-time"


class ShownRecord(Shown):
    """Its place in the chain and the hashes are there for who sees all records."""

    seq: int | None = None
    prev_hash: Hash | None = None
    hash: Hash | None = None
    at: datetime
    account_id: UUID | None
    actor: str
    role: str
    organisation: str | None
    action: str
    object_type: str | None
    object_id: str | None
    decision: Literal["allowed", "denied"]
    reason: str | None
    correlation_id: str
    details: dict[str, Any]


def add_audit(app: FastAPI, pool: Pool) -> None:
    """Let the app's reads and refusals be recorded in this database, and add the route that shows the records."""
    app.state.trail = Trail(pool)
    take_routes(app, router)


@router.get("/v1/audit-records", responses=shows(Page[ShownRecord]))
def list_audit_records(  # noqa: PLR0913 - the filters of a list are its arguments
    _: Annotated[Principal, Depends(permit("audit.read"))],
    pool: AppPool,
    *,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: datetime | None = None,
    actor: Text = None,
    account_id: UUID | None = None,
    action: Text = None,
    object_type: Text = None,
    object_id: Annotated[str | None, Query(max_length=200)] = None,
    decision: Literal["allowed", "denied"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    wanted = Wanted(
        since=_zoned(since),
        until=_zoned(until),
        actor=actor,
        account_id=account_id,
        action=action,
        object_type=object_type,
        object_id=object_id,
        decision=decision,
        before_seq=_read_cursor(cursor),
        topics=_topics(reach.current()),
    )
    found = list_page(pool, wanted, limit=limit + 1)
    page = found[:limit]
    following = encode_cursor([str(page[-1].seq)]) if len(found) > limit else None
    shown = [_show(record, in_chain=_sees_everything(reach.current())) for record in page]
    return json_response({"items": shown, "next_cursor": following})


def _topics(acting: reach.Reach | None) -> tuple[str, ...] | None:
    """An auditor sees everything; who sees everything for another reason sees what concerns security.

    A scoped actor sees the own records: row-level security makes sure of that.
    """
    roles = acting.role.split(",") if acting else []
    return SECURITY_TOPICS if "security_administrator" in roles and "auditor" not in roles else None


def _zoned(at: datetime | None) -> datetime | None:
    if at is not None and (at.tzinfo is None or not 1990 <= at.year <= 2200):
        raise BadTime("a time needs its offset, and a year that may be meant")
    return at


def _read_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    (text,) = decode_cursor(cursor, length=1)
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 15) or int(text) > LARGEST_SEQ:
        raise BadCursor("the cursor is not one of ours")
    return int(text)


def _sees_everything(acting: reach.Reach | None) -> bool:
    return acting is not None and acting.kind == "everywhere"


def _show(record: Record, *, in_chain: bool) -> dict[str, Any]:
    """A record's place in the chain would tell who sees only the own records how much everybody else does."""
    document = {**record.as_document(), "at": instant(record.at)}
    if not in_chain:
        return {name: value for name, value in document.items() if name != "seq"}
    return {**document, "prev_hash": record.prev_hash.hex(), "hash": record.hash.hex()}
