"""The ledger of responsibility in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import class_row

from services.intake.domain.issues.turns import SHAPING, ShapingStep
from services.intake.domain.responsibility import Share
from shared.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The shares of one issue as they stand. `sequence` counts how often they came to stand."""

    id: UUID
    issue_id: UUID
    until_at: datetime
    rule_version: int
    sequence: int


def list_shaping_steps(connection: Connection, issue_ids: Sequence[UUID]) -> dict[UUID, list[ShapingStep]]:
    """By issue the steps that say who held it, in the order of the log."""
    rows = connection.execute(
        """
        SELECT issue_id, kind, happened_at, (details ->> 'organisation_id')::uuid, (details ->> 'cadre_id')::uuid,
               ARRAY(SELECT jsonb_array_elements_text(coalesce(details -> 'assisting', '[]')))::uuid[],
               coalesce(details ->> 'decision' = 'upheld', false)
          FROM issue_step
         WHERE issue_id = ANY(%s)
           AND kind = ANY(%s)
         ORDER BY issue_id, sequence
        """,
        [list(issue_ids), sorted(SHAPING)],
    ).fetchall()
    steps: dict[UUID, list[ShapingStep]] = {}
    for issue_id, kind, happened_at, organisation_id, cadre_id, assisting, is_upheld in rows:
        step = ShapingStep(
            kind=kind,  # type: ignore[arg-type] # psycopg types a row as a tuple of objects, here and below
            happened_at=happened_at,  # type: ignore[arg-type]
            organisation_id=organisation_id,  # type: ignore[arg-type]
            cadre_id=cadre_id,  # type: ignore[arg-type]
            assisting=tuple(assisting),  # type: ignore[arg-type]
            is_upheld=bool(is_upheld),
        )
        steps.setdefault(issue_id, []).append(step)  # type: ignore[arg-type]
    return steps


def list_ledgers(connection: Connection, issue_ids: Sequence[UUID]) -> dict[UUID, Ledger]:
    with connection.cursor(row_factory=class_row(Ledger)) as cursor:
        ledgers = cursor.execute(
            "SELECT id, issue_id, until_at, rule_version, sequence FROM responsibility WHERE issue_id = ANY(%s)",
            [list(issue_ids)],
        ).fetchall()
    return {ledger.issue_id: ledger for ledger in ledgers}


def put_ledgers(
    connection: Connection, ledgers: Sequence[Ledger], shares: Mapping[UUID, Sequence[Share]], *, recorded_at: datetime
) -> None:
    """Put these in the place of what stood for their issues."""
    if not ledgers:
        return
    connection.execute(
        "DELETE FROM responsibility_share WHERE issue_id = ANY(%s)", [[ledger.issue_id for ledger in ledgers]]
    )
    heads = [
        {name: getattr(ledger, name) for name in ("id", "issue_id", "until_at", "rule_version", "sequence")}
        for ledger in ledgers
    ]
    connection.execute(
        """
        INSERT INTO responsibility (issue_id, id, until_at, rule_version, sequence, recorded_at)
        SELECT issue_id, id, until_at, rule_version, sequence, %s
          FROM json_to_recordset(%s::json)
            AS item (issue_id uuid, id uuid, until_at timestamptz, rule_version integer, sequence integer)
            ON CONFLICT (issue_id) DO UPDATE
           SET until_at = excluded.until_at, rule_version = excluded.rule_version, sequence = excluded.sequence,
               recorded_at = excluded.recorded_at
        """,
        [recorded_at, orjson.dumps(heads).decode()],
    )
    connection.execute(
        """
        INSERT INTO responsibility_share (issue_id, place, organisation_id, cadre_id, role, from_at, until_at,
                                          millionths)
        SELECT issue_id, place, organisation_id, cadre_id, role, from_at, until_at, millionths
          FROM json_to_recordset(%s::json)
            AS item (issue_id uuid, place smallint, organisation_id uuid, cadre_id uuid, role text,
                     from_at timestamptz, until_at timestamptz, millionths integer)
        """,
        [orjson.dumps([row for ledger in ledgers for row in _rows(ledger.issue_id, shares)]).decode()],
    )


def _rows(issue_id: UUID, shares: Mapping[UUID, Sequence[Share]]) -> list[dict[str, Any]]:
    return [
        {
            "issue_id": issue_id,
            "place": place,
            "organisation_id": share.holder.organisation_id,
            "cadre_id": share.holder.cadre_id,
            "role": share.role,
            "from_at": share.from_at,
            "until_at": share.until_at,
            "millionths": share.millionths,
        }
        for place, share in enumerate(shares[issue_id], start=1)
    ]


def list_names(
    connection: Connection, organisation_ids: Sequence[UUID], cadre_ids: Sequence[UUID]
) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """The codes of organisations and the staff numbers of cadres who share an issue, also of those out of reach."""
    codes = connection.execute(
        "SELECT id, code_of(id) FROM unnest(%s::uuid[]) AS asked (id)", [list(organisation_ids)]
    ).fetchall()
    numbers = connection.execute(
        "SELECT id, staff_number_of(id) FROM unnest(%s::uuid[]) AS asked (id)", [list(cadre_ids)]
    ).fetchall()
    return dict(codes), dict(numbers)  # type: ignore[arg-type] # psycopg types a row as a tuple of objects
