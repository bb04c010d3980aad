"""The rules of the clocks: what one person asks for and another one agrees to, and what stands.

A version is never changed; another content succeeds it. What was agreed to is agreed to for the version that stood
when it was asked for: where another one stands by then, somebody asks anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tomllib import loads
from typing import Any, Final
from uuid import UUID

from services.intake.domain.clocks.documents import read_rule
from services.intake.storage import clock_rules as storage
from shared import crash, outbox, proposals
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.contracts.intake.clock_rules import ClockRuleDefined
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict, NotFound
from shared.identifiers import new_id
from shared.observability import correlation_id
from shared.proposals import Decision, Proposal, ProposalStatus
from shared.versions import Expected, check_version

KINDS: Final = ("clock_rule.define",)
PRESETS: Final = Path(__file__).parents[2] / "clock_presets.toml"
INSTALLATION: Final = Principal(account_id=UUID(int=0), name="installation", person_id="installation")


class PresetUnknown(NotFound):
    code = "unknown-preset"


class OtherVersion(Conflict):
    """Somebody has agreed to another version of the same rule since this one was asked for."""

    code = "other-version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was asked for is what stands: there is nothing to agree to."""

    rules: Sequence[storage.StoredRule]


def propose(
    pool: Pool,
    name: str,
    documents: Mapping[str, Mapping[str, Any]],
    *,
    by: Principal,
    now: datetime,
    expected: Expected = None,
) -> Proposal | Standing:
    """Ask for rules by their codes, all at once or none. The same asked twice is asked once. Raises BadRule, Outdated.

    `name` is what the proposal is known by. Rules that stand with the same content are left out.
    """
    wanted = {code: _plain(document) for code, document in documents.items()}
    for code, document in wanted.items():
        read_rule(code, 1, document)
    with transaction(pool) as connection:
        storage.lock_rules(connection)
        newest = storage.list_newest_rules(connection, list(wanted))
        for code in wanted:
            check_version(newest[code].version if code in newest else None, expected)
        asked = [
            {"code": code, "base_version": newest[code].version if code in newest else 0, "rule": document}
            for code, document in wanted.items()
            if code not in newest or newest[code].document != document
        ]
        if not asked:
            return Standing(rules=list(newest.values()))
        proposal = Proposal(
            id=new_id(),
            kind="clock_rule.define",
            object_id=name,
            document={"rules": asked},
            proposed_by=by.name,
            proposer_person_id=by.person_id,
            proposed_at=now,
        )
        standing = proposals.find_live(connection, proposal, decided_since=now)
        if standing is not None:
            return standing
        proposals.insert_proposal(connection, proposal)
        _note(connection, "clock_rule.propose", proposal)
    return proposal


def decide(pool: Pool, proposal_id: UUID, decision: Decision) -> Proposal:
    """What is agreed to stands with that, or the agreement does not.

    Raises UnknownProposal, OwnProposal, AlreadyDecided, ProposalExpired, OtherVersion.
    """
    with transaction(pool) as connection:
        decided = proposals.decide(connection, proposal_id, KINDS, decision)
        if decided.status == "approved":
            _define(connection, decided.document["rules"], now=decision.at)
            proposals.set_used(connection, decided.id, at=decision.at)
            crash.point("intake.clock_rules_defined")
        _note(connection, f"clock_rule.{'approve' if decided.status == 'approved' else 'refuse'}", decided)
    return decided


def list_proposals(
    pool: Pool, *, status: ProposalStatus | None, before: UUID | None, limit: int, now: datetime
) -> list[Proposal]:
    with transaction(pool) as connection:
        return proposals.list_proposals(connection, KINDS, status=status, before=before, limit=limit, now=now)


def get_proposal(pool: Pool, proposal_id: UUID, *, now: datetime) -> Proposal:
    """Raises UnknownProposal."""
    with transaction(pool) as connection:
        return proposals.get_proposal(connection, proposal_id, KINDS, now=now)


def list_clock_rules(pool: Pool, *, after: tuple[str, int], limit: int) -> list[storage.StoredRule]:
    """Every version of every rule."""
    with transaction(pool) as connection:
        return storage.list_rules_after(connection, after=after, limit=limit)


def read_presets() -> dict[str, dict[str, dict[str, Any]]]:
    """The shipped rules by set and by code. `rows` says where each was taken from and is no part of a rule."""
    sets = loads(PRESETS.read_text("utf-8"))["sets"]
    return {name: content["rules"] for name, content in sets.items()}


def propose_preset(pool: Pool, name: str, *, organisation_code: str | None, now: datetime) -> Proposal | Standing:
    """Ask for all rules of a set, for a place or for all, as whoever has the machine. Raises PresetUnknown."""
    presets = read_presets()
    if name not in presets:
        raise PresetUnknown(f"there are the sets {', '.join(sorted(presets))}")
    place = {} if organisation_code is None else {"organisation_code": organisation_code}
    suffix = "" if organisation_code is None else f"-{organisation_code}"
    documents = {
        f"{code}{suffix}": {**{key: value for key, value in document.items() if key != "rows"}, **place}
        for code, document in presets[name].items()
    }
    return propose(pool, f"{name}{suffix}", documents, by=INSTALLATION, now=now)


def _define(connection: Connection, asked: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Raises OtherVersion."""
    storage.lock_rules(connection)
    newest = storage.list_newest_rules(connection, [one["code"] for one in asked])
    rows = []
    for one in asked:
        version = newest[one["code"]].version if one["code"] in newest else 0
        if version != one["base_version"]:
            raise OtherVersion(f"version {version} of a rule stands, and another one was looked at: propose it anew")
        rows.append({"id": new_id(), "code": one["code"], "version": version + 1, "document": one["rule"]})
    storage.insert_rules(connection, rows, recorded_at=now)
    events = [outbox.OutgoingEvent(event=_tell(row), sequence=1) for row in rows]
    outbox.append(connection, events, recorded_at=now, correlation_id=correlation_id())


def _tell(row: Mapping[str, Any]) -> ClockRuleDefined:
    rule = row["document"]
    return ClockRuleDefined(
        clock_rule_id=row["id"],
        code=row["code"],
        version=row["version"],
        clock=rule["clock"],
        limit=rule["limit"],
        organisation_code=rule.get("organisation_code"),
        valid_from=rule["valid_from"],
        valid_until=rule.get("valid_until"),
    )


def _note(connection: Connection, action: str, proposal: Proposal) -> None:
    rules = {f"{one['code']} {one['base_version'] + 1}" for one in proposal.document["rules"]}
    details = {"proposal": proposal.id, "proposed_by": proposal.proposed_by, "rules": ", ".join(sorted(rules))}
    note(
        connection,
        Line(
            action=action,
            object_type="clock_rule",
            object_id=proposal.object_id,
            reason=proposal.reason,
            details=details,
        ),
    )


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as the database gives it back: days as texts, and nothing that is not there."""
    return {
        key: value.isoformat() if isinstance(value, date) else value
        for key, value in document.items()
        if value is not None
    }
