"""Schemes that are data: what is in force where, what is proposed, and the second person's word."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AfterValidator, Field

from services.assessment.domain.rules.scheme_reading import LARGEST_FILE, read_rule_scheme
from services.assessment.domain.rules.schemes import RuleScheme
from services.assessment.domain.scores import SubjectKind
from services.assessment.handlers import rule_schemes
from services.assessment.handlers.presets import list_presets
from services.assessment.handlers.rule_schemes import AdoptedScheme, SchemeEnd
from shared.access.principal import Principal
from shared.answers import Listing, Shown, refuses, shows
from shared.edge import PLAIN_TEXT, CodeText, ShortText, check_text
from shared.http import AppPool, Body, describe_body, json_body, json_response, permit
from shared.identifiers import new_id
from shared.proposals import Proposal, ProposalStatus

router = APIRouter()
Reader = Annotated[Principal, Depends(permit("scheme.read"))]
Proposing = Annotated[Principal, Depends(permit("scheme.propose"))]
ProposalReader = Annotated[Principal, Depends(permit("scheme.read_proposals"))]
Deciding = Annotated[Principal, Depends(permit("scheme.decide"))]
Version = Annotated[int, Path(ge=1, le=1_000_000)]
SchemeText = Annotated[
    str, Field(min_length=1, max_length=LARGEST_FILE, json_schema_extra=PLAIN_TEXT), AfterValidator(check_text)
]


class DocumentBody(Body):
    """The text of a scheme file, as docs/schemes.md has it."""

    document: SchemeText


class EndBody(Body):
    until: date


class ReasonBody(Body):
    reason: ShortText


class ShownHold(Shown):
    """`place` and `peer_group` are null where it holds for all."""

    subject: SubjectKind
    place: str | None
    peer_group: str | None
    valid_from: date
    valid_until: date | None


class ShownRuleScheme(Shown):
    name: str
    version: int
    title: dict[str, str]
    source: str | None
    recovery: str | None
    content_hash: str
    proposed_by: str
    approved_by: str
    approved_at: datetime
    holds: list[ShownHold]
    document: str | None = None


class ShownCheck(Shown):
    name: str
    version: int
    content_hash: str
    items: list[str]
    compares: bool


class ShownPreset(Shown):
    name: str
    version: int
    title: dict[str, str]
    source: str | None
    recovery: str | None
    document: str


class ShownProposal(Shown):
    id: UUID
    kind: str
    scheme: str
    asked_for: dict[str, Any]
    state: ProposalStatus
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


@router.get("/v1/rule-schemes", responses=shows(Listing[ShownRuleScheme]))
def list_rule_schemes(_: Reader, pool: AppPool) -> Response:
    """Every scheme that was ever agreed to, without its text."""
    return json_response({"items": [_show(one) for one in rule_schemes.list_adopted(pool)]})


@router.get("/v1/rule-schemes/in-force", responses=shows(ShownRuleScheme) | refuses(404))
def get_rule_scheme_in_force(
    _: Reader,
    pool: AppPool,
    on: Annotated[date, Query(description="a day; of a period its first")],
    place: Annotated[CodeText | None, Query(description="code of an organisation")] = None,
    peer_group: CodeText | None = None,
    subject: SubjectKind = "cadre",
) -> Response:
    """The nearest place goes first, then a scheme that names the peer group before one for all groups."""
    return json_response(
        _show_whole(rule_schemes.get_in_force(pool, subject, place=place, peer_group=peer_group, on=on))
    )


@router.get("/v1/rule-schemes/{name}/{version}", responses=shows(ShownRuleScheme))
def get_rule_scheme(name: CodeText, version: Version, _: Reader, pool: AppPool) -> Response:
    return json_response(_show_whole(rule_schemes.get_adopted(pool, name, version)))


@router.get("/v1/scheme-presets", responses=shows(Listing[ShownPreset]))
def list_scheme_presets(_: Reader) -> Response:
    """Schemes that places have published, to begin from. None of them is in force."""
    shown = [_head(scheme) | {"document": text} for scheme, text in list_presets()]
    return json_response({"items": shown})


@router.post("/v1/scheme-checks", responses=shows(ShownCheck), openapi_extra=describe_body(DocumentBody))
def check_scheme(_: Proposing, body: Annotated[DocumentBody, Depends(json_body(DocumentBody))]) -> Response:
    """Whether a scheme reads; nothing is kept."""
    scheme = read_rule_scheme(body.document)
    return json_response(
        {
            "name": scheme.name,
            "version": scheme.version,
            "content_hash": scheme.content_hash.hex(),
            "items": list(scheme.items),
            "compares": scheme.compares,
        }
    )


@router.post(
    "/v1/scheme-proposals",
    status_code=201,
    responses=shows(ShownProposal, status=201) | refuses(409),
    openapi_extra=describe_body(DocumentBody),
)
def propose_scheme(
    by: Proposing, pool: AppPool, body: Annotated[DocumentBody, Depends(json_body(DocumentBody))]
) -> Response:
    """It holds once another person has agreed, as its [validity] says."""
    now = datetime.now(UTC)
    proposal = rule_schemes.propose_scheme(pool, body.document, by=by, new_id=new_id(), now=now)
    return json_response(_show_proposal(proposal), status=201)


@router.post(
    "/v1/rule-schemes/{name}/{version}/end",
    status_code=201,
    responses=shows(ShownProposal, status=201),
    openapi_extra=describe_body(EndBody),
)
def propose_scheme_end(
    name: CodeText,
    version: Version,
    by: Proposing,
    pool: AppPool,
    body: Annotated[EndBody, Depends(json_body(EndBody))],
) -> Response:
    """It holds until that day, included, once another person has agreed."""
    now = datetime.now(UTC)
    proposal = rule_schemes.propose_end(
        pool, SchemeEnd(name=name, version=version, until_on=body.until), by=by, new_id=new_id(), now=now
    )
    return json_response(_show_proposal(proposal), status=201)


@router.get("/v1/scheme-proposals", responses=shows(Listing[ShownProposal]))
def list_scheme_proposals(
    _: ProposalReader,
    pool: AppPool,
    state: ProposalStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: UUID | None = None,
) -> Response:
    """The newest first."""
    now = datetime.now(UTC)
    found = rule_schemes.list_proposals(pool, status=state, before=before, limit=limit, now=now)
    return json_response({"items": [_show_proposal(one) for one in found]})


@router.post("/v1/scheme-proposals/{proposal_id}/approve", responses=shows(ShownProposal) | refuses(409))
def approve_scheme(proposal_id: UUID, by: Deciding, pool: AppPool) -> Response:
    return json_response(_show_proposal(rule_schemes.approve(pool, proposal_id, by=by, now=datetime.now(UTC))))


@router.post(
    "/v1/scheme-proposals/{proposal_id}/refuse",
    responses=shows(ShownProposal) | refuses(409),
    openapi_extra=describe_body(ReasonBody),
)
def refuse_scheme(
    proposal_id: UUID, by: Deciding, pool: AppPool, body: Annotated[ReasonBody, Depends(json_body(ReasonBody))]
) -> Response:
    decided = rule_schemes.refuse(pool, proposal_id, by=by, reason=body.reason, now=datetime.now(UTC))
    return json_response(_show_proposal(decided))


def _show_whole(adopted: AdoptedScheme) -> dict[str, object]:
    return _show(adopted) | {"document": adopted.stored.document}


def _show(adopted: AdoptedScheme) -> dict[str, object]:
    stored = adopted.stored
    return {
        **_head(read_rule_scheme(stored.document)),
        "content_hash": stored.content_hash.hex(),
        "proposed_by": stored.proposed_by,
        "approved_by": stored.approved_by,
        "approved_at": stored.approved_at,
        "holds": [
            {
                "subject": hold.subject_kind,
                "place": hold.place or None,
                "peer_group": hold.peer_group or None,
                "valid_from": hold.from_on,
                "valid_until": hold.until_on,
            }
            for hold in adopted.holds
        ],
    }


def _head(scheme: RuleScheme) -> dict[str, object]:
    return {
        "name": scheme.name,
        "version": scheme.version,
        "title": scheme.title,
        "source": scheme.source,
        "recovery": scheme.recovery,
    }


def _show_proposal(proposal: Proposal) -> Mapping[str, object]:
    return {
        "id": proposal.id,
        "kind": proposal.kind,
        "scheme": proposal.object_id,
        "asked_for": dict(proposal.document),
        "state": proposal.status,
        "proposed_by": proposal.proposed_by,
        "proposed_at": proposal.proposed_at,
        "decided_by": proposal.decided_by,
        "decided_at": proposal.decided_at,
        "reason": proposal.reason,
    }
