"""Whether a rating counts: opening a case about one, and deciding it by a person who has no part in what was rated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.ratings import RatingState
from services.intake.sealing import vault
from services.intake.storage import rating_cases as storage
from services.intake.storage.citizens import elevated
from services.intake.storage.rating_cases import Case, CaseState, Decision
from services.intake.storage.ratings import RatingNotFound
from shared import outbox
from shared.access.principal import Principal
from shared.audit import chain
from shared.contracts.intake.ratings import RatingReviewed
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict
from shared.identifiers import new_id
from shared.observability import correlation_id
from shared.outbox import OutgoingEvent

ReasonCode = Literal["mistaken_review", "malicious_review", "not_about_this", "not_a_citizen", "solicited", "genuine"]
RequestedKind = Literal["removal", "restoration"]
MOST_LISTED = 200


class OwnCase(Conflict):
    """Also through another account of the same person, and for whoever recorded the rating."""

    code = "own-case"


class CaseDecided(Conflict):
    code = "rating-case-decided"


class WrongState(Conflict):
    code = "wrong-rating-state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    code: ReasonCode
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCase:
    """A case with its reasons opened."""

    case: Case
    reason: str | None = field(repr=False)
    decision_reason: str | None = field(repr=False)


def open_case(
    pool: Pool, rating_id: UUID, kind: RequestedKind, why: Why, principal: Principal, *, now: datetime
) -> UUID:
    """Ask for a rating to be taken out, or back in. It counts as before until somebody else has decided.

    Raises RatingNotFound, WrongState, CaseOpen.
    """
    with transaction(pool) as connection:
        rating = _lock_others_rating(connection, rating_id)
        if (kind == "removal") != (rating.state == "counted") or rating.state == "quarantined":
            raise WrongState("only what counts can be taken out, and only what was taken out be put back")
        case_id = new_id()
        storage.insert_case(
            connection,
            {
                "id": case_id,
                "rating_id": rating_id,
                "kind": kind,
                "former_state": rating.state,
                "reason_code": why.code,
                "reason": vault().seal("rating_case", "reason", case_id, why.text),
                "opened_by": principal.account_id,
                "opener_person": principal.person_id,
                "opened_at": now,
            },
        )
        _note(connection, "rating_case.open", case_id, why.code, {"kind": kind})
    return case_id


def decide_case(
    pool: Pool, case_id: UUID, decision: Decision, why: Why, principal: Principal, *, now: datetime
) -> RatingState:
    """Let the rating count, or take it out; return its state. Raises CaseNotFound, CaseDecided, OwnCase."""
    with transaction(pool) as connection:
        case = storage.lock_case(connection, case_id)
        rating = _lock_others_rating(connection, case.rating_id)
        persons = {case.opener_person, rating.recorded_person} - {None}
        if principal.person_id in persons or principal.account_id in {case.opened_by, rating.recorded_by}:
            raise OwnCase("another person has to decide")
        if case.state != "open":
            raise CaseDecided("somebody has decided already")
        decided = {
            "decision": decision,
            "code": why.code,
            "reason": vault().seal("rating_case", "decision_reason", case_id, why.text),
            "by": principal.account_id,
            "person": principal.person_id,
            "at": now,
        }
        storage.set_decided(connection, case_id, decided)
        state: RatingState = "counted" if decision == "count" else "removed"
        if state != rating.state:
            _set_state(connection, case.rating_id, state, why.code, now=now)
        details = {"kind": case.kind, "decision": decision, "opened_for": case.reason_code or ",".join(case.signals)}
        _note(connection, "rating_case.decide", case_id, why.code, details)
    return state


def list_cases(
    pool: Pool, state: CaseState, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[OpenedCase]:
    with transaction(pool) as connection:
        return [_open(case) for case in storage.list_cases(connection, state, after=after, limit=limit)]


def get_case(pool: Pool, case_id: UUID) -> OpenedCase:
    """Raises CaseNotFound."""
    with transaction(pool) as connection:
        return _open(storage.lock_case(connection, case_id))


def _lock_others_rating(connection: Connection, rating_id: UUID) -> storage.CasedRating:
    """Raises RatingNotFound, also for a rating of the acting person's own work or line."""
    with elevated(connection):
        rating = storage.lock_rating(connection, rating_id)
    if rating is None or storage.is_own_work(connection, rating_id):
        raise RatingNotFound("there is no such rating")
    return rating


def _set_state(connection: Connection, rating_id: UUID, state: RatingState, code: str, *, now: datetime) -> None:
    with elevated(connection):
        sequence = storage.set_state(connection, rating_id, state)
    event = RatingReviewed(rating_id=rating_id, counts=state == "counted", reason_code=code, reviewed_at=now)
    told = OutgoingEvent(event=event, sequence=sequence, correlation_id=correlation_id())
    outbox.append(connection, [told], recorded_at=now, correlation_id=correlation_id())


def _open(case: Case) -> OpenedCase:
    return OpenedCase(
        case=case,
        reason=vault().open("rating_case", "reason", case.id, case.reason, None),
        decision_reason=vault().open("rating_case", "decision_reason", case.id, case.decision_reason, None),
    )


def _note(connection: Connection, action: str, case_id: UUID, reason: str, details: Mapping[str, object]) -> None:
    chain.note(
        connection,
        chain.Line(action=action, object_type="rating_case", object_id=case_id, reason=reason, details=details),
    )
