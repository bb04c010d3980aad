"""Who answers for issues that are not all their lead's: the newest ledger of each, as intake told it."""

from collections.abc import Sequence
from typing import Any

import orjson

from shared.database import Connection

Row = dict[str, Any]


def put_ledgers(connection: Connection, ledgers: Sequence[Row]) -> None:
    """Keep of each issue the ledger with the highest sequence, and its shares in the place of all former ones."""
    newer = connection.execute(
        """
        INSERT INTO issue_ledger AS known (issue_id, rule_version, until_at, is_final, sequence)
        SELECT issue_id, rule_version, until_at, is_final, sequence
          FROM json_to_recordset(%s::json)
            AS row (issue_id uuid, rule_version integer, until_at timestamptz, is_final boolean, sequence integer)
            ON CONFLICT (issue_id) DO UPDATE
           SET rule_version = excluded.rule_version,
               until_at = excluded.until_at,
               is_final = excluded.is_final,
               sequence = excluded.sequence
         WHERE known.sequence < excluded.sequence
        RETURNING issue_id
        """,
        [orjson.dumps([{**ledger, "shares": None} for ledger in ledgers]).decode()],
    ).fetchall()
    issue_ids = {row[0] for row in newer}
    if not issue_ids:
        return
    connection.execute("DELETE FROM issue_share WHERE issue_id = ANY(%s)", [list(issue_ids)])
    connection.execute(
        """
        INSERT INTO issue_share (issue_id, place, organisation_id, cadre_id, role, from_at, until_at, millionths)
        SELECT issue_id, place, organisation_id, cadre_id, role, from_at, until_at, millionths
          FROM json_to_recordset(%s::json)
            AS row (issue_id uuid, place smallint, organisation_id uuid, cadre_id uuid, role text,
                    from_at timestamptz, until_at timestamptz, millionths integer)
        """,
        [orjson.dumps([row for one in ledgers if one["issue_id"] in issue_ids for row in one["shares"]]).decode()],
    )
