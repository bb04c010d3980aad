"""Putting schemes that are data into force and out of it: one person proposes, another one agrees."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from services.assessment.domain.measures import ANSWERS_BEHIND
from services.assessment.domain.rules.faults import BadRules
from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.domain.rules.schemes import RuleScheme, Validity
from services.assessment.domain.schemes import read_scheme
from services.assessment.domain.scores import SubjectKind, UnknownScheme
from services.assessment.handlers.simulations import COMPOSITE, TEXTS
from services.assessment.storage import rule_schemes as storage
from services.assessment.storage import schemes
from services.assessment.storage.rule_schemes import Hold, StoredRuleScheme
from shared import proposals
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, Rejected
from shared.proposals import Decision, Proposal, ProposalStatus

KINDS: Final = ("scheme.adopt", "scheme.end")
DEFAULT_NAME: Final = "fair"


class SchemesOverlap(Conflict):
    """Two schemes would hold for the same place and peer group on the same day."""

    code = "schemes-overlap"


class VersionTaken(Conflict):
    """What was agreed to under a name and version never changes."""

    code = "version-taken"


class BadEnd(Rejected):
    code = "bad-end"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeEnd:
    """`until_on` is the last day on which it holds."""

    name: str
    version: int
    until_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptedScheme:
    stored: StoredRuleScheme
    holds: tuple[Hold, ...]


def check_document(document: str) -> RuleScheme:
    """A scheme that could be put into force. Raises BadRules."""
    scheme = read_rule_scheme(document)
    if scheme.validity is None:
        raise BadRules("validity", "is needed to put a scheme into force: [validity] with from")
    if not scheme.has_total:
        raise BadRules("items", "a scheme that is put into force has at least one item")
    if scheme.name == DEFAULT_NAME:
        raise BadRules("name", "is the name of the scheme that counts where a place has none")
    return scheme


def propose_scheme(pool: Pool, document: str, *, by: Principal, new_id: UUID, now: datetime) -> Proposal:
    """Raises BadRules, VersionTaken, SchemesOverlap."""
    scheme = check_document(document)
    proposal = Proposal(
        id=new_id,
        kind="scheme.adopt",
        object_id=_label(scheme.name, scheme.version),
        document={"text": document, "content_hash": scheme.content_hash.hex()},
        proposed_by=by.name,
        proposer_person_id=by.person_id,
        proposed_at=now,
    )
    with transaction(pool) as connection:
        _check_measures(connection, scheme)
        _check_room(connection, scheme)
        proposals.insert_proposal(connection, proposal)
        note(connection, _line("scheme.propose", proposal))
    return proposal


def propose_end(pool: Pool, end: SchemeEnd, *, by: Principal, new_id: UUID, now: datetime) -> Proposal:
    """Raises UnknownScheme, BadEnd."""
    proposal = Proposal(
        id=new_id,
        kind="scheme.end",
        object_id=_label(end.name, end.version),
        document={"name": end.name, "version": end.version, "until": end.until_on.isoformat()},
        proposed_by=by.name,
        proposer_person_id=by.person_id,
        proposed_at=now,
    )
    with transaction(pool) as connection:
        holds = storage.list_holds(connection, end.name, end.version)
        if not holds:
            raise UnknownScheme("there is no such scheme")
        _check_end(holds, end.until_on)
        proposals.insert_proposal(connection, proposal)
        note(connection, _line("scheme.propose_end", proposal))
    return proposal


def approve(pool: Pool, proposal_id: UUID, *, by: Principal, now: datetime) -> Proposal:
    """Raises UnknownProposal, OwnProposal, AlreadyDecided, ProposalExpired; and what proposing would raise by now."""
    with transaction(pool) as connection:
        proposal = proposals.decide(connection, proposal_id, KINDS, Decision(status="approved", by=by, at=now))
        storage.lock_adopting(connection)
        if proposal.kind == "scheme.adopt":
            _adopt(connection, proposal, now=now)
        else:
            _end(connection, proposal)
        note(connection, _line("scheme.approve", proposal))
    return proposal


def refuse(pool: Pool, proposal_id: UUID, *, by: Principal, reason: str, now: datetime) -> Proposal:
    """Raises UnknownProposal, OwnProposal, AlreadyDecided, ProposalExpired."""
    with transaction(pool) as connection:
        decision = Decision(status="refused", by=by, at=now, reason=reason)
        proposal = proposals.decide(connection, proposal_id, KINDS, decision)
        note(connection, _line("scheme.refuse", proposal, reason=reason))
    return proposal


def list_proposals(
    pool: Pool, *, status: ProposalStatus | None, before: UUID | None, limit: int, now: datetime
) -> list[Proposal]:
    with transaction(pool) as connection:
        return proposals.list_proposals(connection, KINDS, status=status, before=before, limit=limit, now=now)


def list_adopted(pool: Pool) -> list[AdoptedScheme]:
    with transaction(pool) as connection:
        stored, holds = storage.list_rule_schemes(connection), storage.list_holds(connection)
    return [_with_holds(one, holds) for one in stored]


def get_adopted(pool: Pool, name: str, version: int) -> AdoptedScheme:
    """Raises UnknownScheme."""
    with transaction(pool) as connection:
        stored = storage.find_rule_scheme(connection, name, version)
        holds = storage.list_holds(connection, name, version)
    if stored is None:
        raise UnknownScheme("there is no such scheme")
    return _with_holds(stored, holds)


def get_in_force(
    pool: Pool, kind: SubjectKind, *, place: str | None, peer_group: str | None, on: date
) -> AdoptedScheme:
    """The scheme of a place, or of the nearest one above it, for a peer group on a day. Raises UnknownScheme."""
    with transaction(pool) as connection:
        places = storage.list_places_above(connection, place) or [place] if place is not None else []
        stored = storage.find_in_force(connection, kind, places, peer_group=peer_group, on=on)
        holds = storage.list_holds(connection, stored.name, stored.version) if stored else []
    if stored is None:
        raise UnknownScheme("no scheme is in force there then")
    return _with_holds(stored, holds)


def _adopt(connection: Connection, proposal: Proposal, *, now: datetime) -> None:
    document = str(proposal.document["text"])
    scheme = check_document(document)
    _check_room(connection, scheme)
    stored = StoredRuleScheme(
        name=scheme.name,
        version=scheme.version,
        document=document,
        content_hash=scheme.content_hash,
        proposed_by=proposal.proposed_by,
        approved_by=proposal.decided_by or "",
        approved_at=now,
    )
    storage.insert_rule_scheme(connection, stored)
    if scheme.validity is not None:
        storage.insert_validity(connection, scheme.name, scheme.version, scheme.validity)


def _check_measures(connection: Connection, scheme: RuleScheme) -> None:
    """Better told now than at the closing: a scheme in force reads what publications say."""
    known = {*TEXTS, COMPOSITE, "closed_as_resolved", "ratings"}
    for stored in schemes.list_schemes(connection):
        for indicator in read_scheme(stored.definition).indicators:
            known |= {indicator.key, *(name for name in indicator.measures if name not in ANSWERS_BEHIND)}
    for key, measure in scheme.measures.items():
        if measure.column not in known and not measure.optional:
            raise BadRules(
                f"measures.{key}", f"no publication says {measure.column}; they say {', '.join(sorted(known))}"
            )


def _check_room(connection: Connection, scheme: RuleScheme) -> None:
    if storage.find_rule_scheme(connection, scheme.name, scheme.version) is not None:
        raise VersionTaken(f"{_label(scheme.name, scheme.version)} is there already: a change needs a new version")
    validity: Validity | None = scheme.validity
    if validity is None:
        return
    if overlapping := storage.list_overlapping(connection, validity):
        held = overlapping[0]
        until = held.until_on.isoformat() if held.until_on else "on"
        raise SchemesOverlap(
            f"{_label(held.name, held.version)} holds for {held.place or 'every place'} and "
            f"{held.peer_group or 'every peer group'} from {held.from_on.isoformat()} {until}: end it first"
        )


def _end(connection: Connection, proposal: Proposal) -> None:
    name, version = str(proposal.document["name"]), int(proposal.document["version"])
    until_on = date.fromisoformat(str(proposal.document["until"]))
    _check_end(storage.list_holds(connection, name, version), until_on)
    storage.set_end(connection, name, version, until_on)


def _check_end(holds: Sequence[Hold], until_on: date) -> None:
    """An end is only ever brought forward: what others rely on beyond it was never theirs."""
    if any(until_on < hold.from_on for hold in holds):
        raise BadEnd("the scheme does not hold yet on that day")
    if all(hold.until_on is not None and hold.until_on <= until_on for hold in holds):
        raise BadEnd("the scheme ends by then already")


def _with_holds(stored: StoredRuleScheme, holds: Sequence[Hold]) -> AdoptedScheme:
    own = tuple(hold for hold in holds if (hold.name, hold.version) == (stored.name, stored.version))
    return AdoptedScheme(stored=stored, holds=own)


def _label(name: str, version: int) -> str:
    return f"{name}-{version}"


def _line(action: str, proposal: Proposal, *, reason: str | None = None) -> Line:
    hashed = proposal.document.get("content_hash") or proposal.document.get("until")
    return Line(
        action=action,
        object_type="scheme",
        object_id=proposal.object_id,
        reason=reason,
        details={"proposal": str(proposal.id), "content": hashed},
    )
