"""Routes of the clocks: how an issue stands, and the rules that say so."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from services.intake.api.doors import doors
from services.intake.api.fields import Cursor, Limit
from services.intake.api.proposals import (
    AskedState,
    DecidedProposal,
    ProposalDecisionBody,
    read_decision,
    read_place,
    show_page,
    show_proposal,
)
from services.intake.api.repeats import Keyed
from services.intake.handlers.clocks import reading, rules
from services.intake.storage.clock_rules import StoredRule
from shared.access.principal import Principal
from shared.answers import Listing, Page, Shown, refuses, shows
from shared.conditions import read_expected
from shared.contracts.intake.issues import Channel, IssueType, Urgency
from shared.edge import CodeText, Day, ShortText
from shared.http import Body, describe_body, json_body, json_response, permit
from shared.pages import decode_cursor, encode_cursor
from shared.proposals import Proposal

router = APIRouter(prefix="/v1", tags=["clocks"])
PathCode = Annotated[CodeText, Path()]
Codes = Annotated[list[CodeText], Field(min_length=1, max_length=100)]
Count = Annotated[int, Field(ge=0, le=9_999)]
LimitText = Annotated[
    str, Field(pattern=r"^[1-9][0-9]{0,3} (minutes|hours|working_hours|natural_days|working_days)$", max_length=20)
]
Delay = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,3}) (hours|working_days)$", max_length=20)]
Delays = Annotated[list[Delay], Field(max_length=10)]


class ClockRuleBody(Body):
    clock: Literal["dispatch", "sign_in", "first_contact", "close", "reply", "dispatch_objection"]
    limit: LimitText
    organisation_code: CodeText | None = None  # with all below it
    issue_types: Annotated[list[IssueType], Field(min_length=1)] | None = None
    categories: Codes | None = None
    channels: Annotated[list[Channel], Field(min_length=1)] | None = None
    urgencies: Annotated[list[Urgency], Field(min_length=1)] | None = None
    occasions: (
        Annotated[list[Literal["first", "transferred", "redo_ordered", "reopened"]], Field(min_length=1)] | None
    ) = None
    valid_from: Day
    valid_until: Day | None = None
    starts_on: Literal["received", "assigned", "signed"] | None = None
    counts_first_day: bool | None = None
    ends: Literal["end_of_day", "end_of_working_day", "same_time"] | None = None
    restarts_on: list[Literal["transferred", "redo_ordered", "reopened"]] | None = None
    pause_reasons: Codes | None = None
    pause_budget: Count | Literal["unlimited"] | None = None
    extension_most: Count | None = None
    extension_counts_from: Literal["decision", "request"] | None = None
    warnings: Delays | None = None
    escalations: Delays | None = None
    source: ShortText | None = None


class AskedRule(Shown):
    """`base_version` is the version that stood when it was asked for; 0 for a new rule."""

    code: str
    base_version: int
    rule: dict[str, Any]


class ClockRuleProposal(DecidedProposal):
    name: str
    rules: list[AskedRule]


@router.get("/issues/{issue_id}/clocks", responses=shows(Listing[reading.ClockView]))
def get_clocks(request: Request, _: Annotated[Principal, Depends(permit("issue.read"))], issue_id: UUID) -> Response:
    return json_response({"items": reading.read_clocks(doors(request).pool, issue_id, now=datetime.now(UTC))})


@router.put(
    "/clock-rules/{code}",
    responses=shows(StoredRule, description="It stands with this content already.")
    | shows(ClockRuleProposal, status=202, description="It waits for a second person.", headers=("Location",))
    | refuses(412),
    openapi_extra=describe_body(ClockRuleBody),
)
def propose_clock_rule(
    request: Request,
    principal: Annotated[Principal, Depends(permit("clock_rule.propose"))],
    code: PathCode,
    body: Annotated[ClockRuleBody, Depends(json_body(ClockRuleBody))],
) -> Response:
    """Ask for a rule, or for its next version. It holds from when another person has agreed."""
    document = body.model_dump(exclude_none=True)
    asked = rules.propose(
        doors(request).pool,
        code,
        {code: document},
        by=principal,
        expected=read_expected(request),
        now=datetime.now(UTC),
    )
    if isinstance(asked, rules.Standing):
        return json_response(asked.rules[0])
    location = {"Location": f"/v1/clock-rule-proposals/{asked.id}"}
    return json_response(_show_proposal(asked), status=202, headers=location)


@router.get("/clock-rules", responses=shows(Page[StoredRule]))
def list_clock_rules(
    request: Request,
    _: Annotated[Principal, Depends(permit("clock_rule.read"))],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    after = ("", 0)
    if cursor is not None:
        code, version = decode_cursor(cursor, length=2)
        after = (code or "", int(version) if version and version.isdigit() else 0)
    entries = rules.list_clock_rules(doors(request).pool, after=after, limit=limit)
    following = encode_cursor([entries[-1].code, str(entries[-1].version)]) if len(entries) == limit else None
    return json_response({"items": entries, "next_cursor": following})


@router.get("/clock-rule-proposals", responses=shows(Page[ClockRuleProposal]))
def list_clock_rule_proposals(
    request: Request,
    _: Annotated[Principal, Depends(permit("clock_rule.read_proposals"))],
    state: AskedState = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """The newest first. What nobody decides for a month expires."""
    found = rules.list_proposals(
        doors(request).pool, status=state, before=read_place(cursor), limit=limit, now=datetime.now(UTC)
    )
    return json_response(show_page([_show_proposal(proposal) for proposal in found], limit))


@router.get("/clock-rule-proposals/{proposal_id}", responses=shows(ClockRuleProposal))
def get_clock_rule_proposal(
    request: Request, _: Annotated[Principal, Depends(permit("clock_rule.read_proposals"))], proposal_id: UUID
) -> Response:
    return json_response(_show_proposal(rules.get_proposal(doors(request).pool, proposal_id, now=datetime.now(UTC))))


@router.post(
    "/clock-rule-proposals/{proposal_id}/decision",
    responses=shows(ClockRuleProposal)
    | refuses(_409="Decided before, expired, one's own, or another version of the rule stands meanwhile."),
    openapi_extra=describe_body(ProposalDecisionBody),
)
def decide_clock_rule_proposal(
    principal: Annotated[Principal, Depends(permit("clock_rule.decide"))],
    once: Keyed,
    proposal_id: UUID,
    body: Annotated[ProposalDecisionBody, Depends(json_body(ProposalDecisionBody))],
) -> Response:
    """What is approved is in force with the answer."""
    decision = read_decision(body, principal, datetime.now(UTC))
    return once.run(lambda pool: json_response(_show_proposal(rules.decide(pool, proposal_id, decision))))


def _show_proposal(proposal: Proposal) -> dict[str, Any]:
    return {**show_proposal(proposal), "name": proposal.object_id, "rules": proposal.document["rules"]}
