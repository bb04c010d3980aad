"""What proposals look like to whoever decides on them, and the second person's word."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query

from shared.access.principal import Principal
from shared.answers import Shown
from shared.edge import CodeText
from shared.http import Body
from shared.pages import BadCursor, decode_cursor, encode_cursor
from shared.proposals import Decision, Proposal, ProposalStatus

AskedState = Annotated[ProposalStatus | None, Query()]


class ProposalDecisionBody(Body):
    decision: Literal["approve", "refuse"]
    reason_code: CodeText | None = None


class DecidedProposal(Shown):
    """What every proposal has: who asked, and what became of it."""

    id: UUID
    state: ProposalStatus
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason_code: str | None
    done_at: datetime | None


def read_decision(body: ProposalDecisionBody, by: Principal, at: datetime) -> Decision:
    status: Literal["approved", "refused"] = "approved" if body.decision == "approve" else "refused"
    return Decision(status=status, by=by, at=at, reason=body.reason_code)


def show_proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "state": proposal.status,
        "proposed_by": proposal.proposed_by,
        "proposed_at": proposal.proposed_at,
        "decided_by": proposal.decided_by,
        "decided_at": proposal.decided_at,
        "reason_code": proposal.reason,
        "done_at": proposal.used_at,
    }


def read_place(cursor: str | None) -> UUID | None:
    """Raises BadCursor."""
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor, length=1)[0] or "")
    except ValueError:
        raise BadCursor("the cursor is not one of ours") from None


def show_page(items: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    following = encode_cursor([str(items[-1]["id"])]) if len(items) == limit else None
    return {"items": items, "next_cursor": following}
