"""Exports beyond what one person may carry out alone: asked for with a purpose, decided by another, fetched once."""

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import BinaryIO, Final
from uuid import UUID

from services.intake import metrics
from services.intake.exporting import Format
from services.intake.handlers import exports
from services.intake.handlers.exports import ExportRequest
from services.intake.sealing import vault
from services.intake.storage import exports as storage
from shared import proposals
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, Rejected
from shared.identifiers import new_id
from shared.proposals import Decision, Proposal, ProposalStatus, UnknownProposal
from shared.reach import current

KINDS: Final = ("register.export",)
FETCHED_WITHIN: Final = timedelta(days=3)
MARGIN_PERCENT: Final = 10  # registers grow while somebody decides


class NotNeeded(Rejected):
    """Nobody is named in it: everybody who may read it exports it alone."""

    code = "no-proposal-needed"


class OrganisationMissing(Rejected):
    code = "organisation-missing"


class UnknownOrganisation(Rejected):
    code = "unknown-organisation"


class NotToBeFetched(Conflict):
    """Not agreed to, fetched before, or agreed to too long ago."""

    code = "not-to-be-fetched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    register: str
    format: Format
    organisation_code: str | None
    purpose: str


def propose(pool: Pool, wanted: Wanted, *, by: Principal, proposal_id: UUID, now: datetime) -> Proposal:
    """Raises UnknownRegister, NotNeeded, OrganisationMissing, UnknownOrganisation, TooManyRows."""
    if not exports.find_register(wanted.register).is_personal:
        raise NotNeeded("nobody is named in this register: it can be exported without a second person")
    sealed = vault().seal("proposal", "purpose", proposal_id, wanted.purpose)
    with transaction(pool) as connection:
        _check_place(connection, wanted.organisation_code)
        count = storage.count_rows(connection, wanted.register, organisation_code=wanted.organisation_code)
        if count > exports.MOST_SHEET_ROWS:
            raise exports.TooManyRows(f"a file has at most {exports.MOST_SHEET_ROWS} rows")
        proposal = Proposal(
            id=proposal_id,
            kind="register.export",
            object_id=wanted.register,
            organisation_code=wanted.organisation_code,
            document={"format": wanted.format, "rows": count, "purpose": base64.b64encode(sealed).decode()},
            proposed_by=by.name,
            proposer_person_id=by.person_id,
            proposed_at=now,
        )
        proposals.insert_proposal(connection, proposal)
        _note(connection, "register.propose_export", proposal)
    return _opened(proposal)


def decide(pool: Pool, proposal_id: UUID, decision: Decision) -> Proposal:
    """Raises UnknownProposal, OwnProposal, AlreadyDecided, ProposalExpired."""
    with transaction(pool) as connection:
        decided = proposals.decide(connection, proposal_id, KINDS, decision)
        word = "approve_export" if decided.status == "approved" else "refuse_export"
        _note(connection, f"register.{word}", decided)
    return _opened(decided)


def get_proposal(pool: Pool, proposal_id: UUID, *, now: datetime) -> Proposal:
    """Raises UnknownProposal."""
    with transaction(pool) as connection:
        return _opened(proposals.get_proposal(connection, proposal_id, KINDS, now=now))


def list_proposals(
    pool: Pool, *, status: ProposalStatus | None, before: UUID | None, limit: int, now: datetime
) -> list[Proposal]:
    with transaction(pool) as connection:
        found = proposals.list_proposals(connection, KINDS, status=status, before=before, limit=limit, now=now)
    return [_opened(proposal) for proposal in found]


def fetch(pool: Pool, proposal_id: UUID, *, by: Principal, now: datetime) -> tuple[ExportRequest, BinaryIO]:
    """Give the file to whoever asked for it, once and within some days. Raises UnknownProposal, NotToBeFetched.

    Raises TooManyRows where the register has grown beyond what the second person saw: then it can be fetched still.
    """
    with exports.opened() as file, transaction(pool) as connection:
        proposal = proposals.get_proposal(connection, proposal_id, KINDS, now=now)
        if proposal.proposer_person_id != by.person_id:
            raise UnknownProposal("there is no such proposal")
        is_agreed = proposal.status == "approved" and proposal.decided_at is not None and proposal.used_at is None
        if not is_agreed or proposal.decided_at is None or now - proposal.decided_at > FETCHED_WITHIN:
            raise NotToBeFetched("the export is not agreed to, was fetched before, or was agreed to too long ago")
        asked = ExportRequest(
            id=new_id(),
            register=proposal.object_id,
            format=proposal.document["format"],
            organisation_code=proposal.organisation_code,
            proposal_id=proposal.id,
        )
        agreed: int = proposal.document["rows"]
        most = min(agreed + agreed * MARGIN_PERCENT // 100 + 1, exports.MOST_SHEET_ROWS)
        count = exports.write_register(connection, file, asked, most=most, now=now)
        proposals.set_used(connection, proposal.id, at=now)
        exports.note_export(connection, asked, count, now=now)
    exports.count_export(exports.find_register(asked.register), count, now=now)
    metrics.exports_agreed_total.inc()
    return asked, file


def _check_place(connection: Connection, organisation_code: str | None) -> None:
    """Whoever decides must reach what is to be exported; so it is said what that is."""
    if organisation_code is None:
        acting = current()
        if acting is not None and acting.kind == "scoped":
            raise OrganisationMissing("name the organisation whose rows, with all below it, are to be exported")
    elif not storage.is_organisation_within_reach(connection, organisation_code):
        raise UnknownOrganisation("there is no such organisation")


def _opened(proposal: Proposal) -> Proposal:
    """With its purpose readable again: for whoever may see the proposal."""
    sealed = base64.b64decode(proposal.document["purpose"])
    purpose = vault().open("proposal", "purpose", proposal.id, sealed, None)
    return replace(proposal, document={**proposal.document, "purpose": purpose})


def _note(connection: Connection, action: str, proposal: Proposal) -> None:
    details = {
        "register": proposal.object_id,
        "rows": proposal.document["rows"],
        "organisation": proposal.organisation_code or "",
        "proposed_by": proposal.proposed_by,
    }
    line = Line(
        action=action,
        object_type="export_proposal",
        object_id=proposal.id,
        reason=proposal.reason,
        details=details,
    )
    note(connection, line)
