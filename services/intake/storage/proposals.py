"""Proposals that need two persons, and who saw whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from shared.database import Connection
from shared.errors import Conflict, NotFound

ProposalKind = Literal["reveal", "restrict", "lift", "erase"]
ProposalState = Literal["open", "refused", "approved", "done", "not_done"]


class ProposalNotFound(NotFound):
    code = "proposal-not-found"


class AlreadyProposed(Conflict):
    code = "already-proposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    id: UUID
    kind: ProposalKind
    citizen_ref: UUID | None
    issue_ids: list[UUID]
    reason_code: str
    reason: bytes
    review_on: date | None
    proposed_by: UUID
    proposer_person: str
    proposed_at: datetime
    state: ProposalState
    decided_at: datetime | None = None
    finished_at: datetime | None = None
    held_at: datetime | None = None
    outcome_code: str | None = None


def insert_proposal(connection: Connection, proposal: Proposal) -> None:
    """Raises AlreadyProposed: one of a kind waits for a citizen at a time."""
    try:
        connection.execute(
            """
            INSERT INTO citizen_proposal (id, kind, citizen_ref, issue_ids, reason_code, reason, review_on,
                                          proposed_by, proposer_person, proposed_at, state)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'open')
            """,
            [
                proposal.id,
                proposal.kind,
                proposal.citizen_ref,
                proposal.issue_ids,
                proposal.reason_code,
                proposal.reason,
                proposal.review_on,
                proposal.proposed_by,
                proposal.proposer_person,
                proposal.proposed_at,
            ],
        )
    except UniqueViolation:
        raise AlreadyProposed("the same is proposed for this citizen already") from None


def lock_proposal(connection: Connection, proposal_id: UUID) -> Proposal:
    """Hold a proposal until the transaction ends. Raises ProposalNotFound."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        proposal = cursor.execute(
            """
            SELECT id, kind, citizen_ref, issue_ids, reason_code, reason, review_on, proposed_by, proposer_person,
                   proposed_at, state, decided_at, finished_at, held_at, outcome_code
              FROM citizen_proposal
             WHERE id = %s
               FOR UPDATE
            """,
            [proposal_id],
        ).fetchone()
    if proposal is None:
        raise ProposalNotFound("there is no such proposal")
    return proposal


def set_decision(
    connection: Connection, proposal_id: UUID, state: ProposalState, *, by: UUID, person: str, at: datetime
) -> None:
    connection.execute(
        """
        UPDATE citizen_proposal
           SET state = %s, decided_by = %s, decider_person = %s, decided_at = %s
         WHERE id = %s AND state = 'open'
        """,
        [state, by, person, at, proposal_id],
    )


def set_finished(
    connection: Connection, proposal_ids: Sequence[UUID], *, at: datetime, outcome_code: str | None = None
) -> int:
    """Return how many were still to be done: so a result is given, and an effect had, once."""
    done = connection.execute(
        """
        UPDATE citizen_proposal
           SET state = CASE WHEN %(code)s::text IS NULL THEN 'done' ELSE 'not_done' END,
               outcome_code = %(code)s, finished_at = %(at)s
         WHERE id = ANY(%(ids)s) AND state = 'approved'
        """,
        {"code": outcome_code, "at": at, "ids": list(proposal_ids)},
    )
    return done.rowcount


def list_approved_ids(connection: Connection, *, limit: int) -> list[UUID]:
    """List what was approved of restricting and freeing, the oldest first."""
    rows = connection.execute(
        """
        SELECT id
          FROM citizen_proposal
         WHERE state = 'approved'
           AND kind IN ('restrict', 'lift')
         ORDER BY decided_at
         LIMIT %s
        """,
        [limit],
    )
    return [row[0] for row in rows]  # type: ignore[misc] # psycopg types a row as a tuple of objects


def claim_erasures(connection: Connection, *, limit: int) -> list[Proposal]:
    """Hold erasures that can be done now until the transaction ends, the oldest first, on citizen_proposal_approved."""
    with connection.cursor(row_factory=class_row(Proposal)) as cursor:
        return cursor.execute(
            """
            SELECT id, kind, citizen_ref, issue_ids, reason_code, reason, review_on, proposed_by, proposer_person,
                   proposed_at, state, decided_at, finished_at, held_at, outcome_code
              FROM citizen_proposal
             WHERE state = 'approved'
               AND kind = 'erase'
               AND (held_at IS NULL
                    OR NOT EXISTS (SELECT 1
                                     FROM issue
                                    WHERE issue.citizen_ref = citizen_proposal.citizen_ref AND status <> 'closed'))
             ORDER BY decided_at
             LIMIT %s
               FOR UPDATE SKIP LOCKED
            """,
            [limit],
        ).fetchall()


def set_held(connection: Connection, proposal_id: UUID, *, at: datetime) -> bool:
    """Let an approved erasure wait. Whether it did not wait before."""
    held = connection.execute(
        "UPDATE citizen_proposal SET held_at = %s WHERE id = %s AND state = 'approved' AND held_at IS NULL",
        [at, proposal_id],
    )
    return held.rowcount == 1


def is_erasure_agreed(connection: Connection, citizen_ref: UUID) -> bool:
    row = connection.execute(
        """
        SELECT EXISTS (SELECT 1
                         FROM citizen_proposal
                        WHERE citizen_ref = %s AND kind = 'erase' AND state = 'approved')
        """,
        [citizen_ref],
    ).fetchone()
    return row is not None and bool(row[0])


def lock_account(connection: Connection, account_id: UUID) -> None:
    """One reveal of an account at a time, so that counting them cannot be outrun."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [str(account_id)])


def count_reveals(connection: Connection, account_id: UUID, *, since: datetime) -> tuple[int, datetime | None]:
    """Return how many citizens the account has asked to see one by one since then, and when the first."""
    row = connection.execute(
        """
        SELECT count(*), min(revealed_at)
          FROM reveal
         WHERE account_id = %s AND revealed_at > %s AND proposal_id IS NULL
        """,
        [account_id, since],
    ).fetchone()
    return (int(str(row[0])), row[1]) if row else (0, None)  # type: ignore[return-value] # as above


def insert_reveals(connection: Connection, rows: Sequence[Mapping[str, Any]], *, revealed_at: datetime) -> None:
    connection.execute(
        """
        INSERT INTO reveal (id, account_id, issue_id, citizen_ref, proposal_id, reason_code, reason, revealed_at)
        SELECT id, account_id, issue_id, citizen_ref, proposal_id, reason_code, reason, %s
          FROM json_to_recordset(%s::json)
            AS row (id uuid, account_id uuid, issue_id uuid, citizen_ref uuid, proposal_id uuid, reason_code text,
                    reason bytea)
        """,
        [revealed_at, orjson.dumps(rows).decode()],
    )
