"""The newest news of every score, each with a change number that readers can use as a position."""

from collections.abc import Sequence
from dataclasses import asdict

import orjson

from services.notify.domain.news import News
from shared.database import Connection


def take_changes(connection: Connection, count: int) -> int:
    """Take change numbers and return the first. Others wait here until this transaction ends, which keeps the order."""
    row = connection.execute(
        "UPDATE news_position SET last_change = last_change + %s RETURNING last_change", [count]
    ).fetchone()
    if row is None:
        raise RuntimeError("the position of the news is missing: the migrations have not run")
    return int(str(row[0])) - count + 1


def upsert_news(connection: Connection, news: Sequence[News], *, first_change: int) -> int:
    """Keep what has the higher sequence; return how many scores moved. Order and repeats do not matter."""
    rows = [asdict(item) | {"change": change} for change, item in enumerate(news, first_change)]
    return connection.execute(
        """
        INSERT INTO score_news AS known
                    (score_id, change, sequence, subject_kind, subject_id, subject_code, subject_name,
                     organisation_path, period_kind, period_start, composite, previous, scheme, scheme_version,
                     computed_at, correlation_id)
        SELECT score_id, change, sequence, subject_kind, subject_id, subject_code, subject_name,
               organisation_path, period_kind, period_start, composite, previous, scheme, scheme_version,
               computed_at, correlation_id
          FROM json_to_recordset(%s::json)
            AS row (score_id uuid, change bigint, sequence integer, subject_kind text, subject_id uuid,
                    subject_code text, subject_name text, organisation_path uuid[], period_kind text, period_start date,
                    composite numeric, previous numeric, scheme text, scheme_version integer,
                    computed_at timestamptz, correlation_id text)
            ON CONFLICT (score_id) DO UPDATE
           SET change = excluded.change,
               sequence = excluded.sequence,
               subject_code = excluded.subject_code,
               subject_name = excluded.subject_name,
               organisation_path = excluded.organisation_path,
               composite = excluded.composite,
               previous = excluded.previous,
               scheme = excluded.scheme,
               scheme_version = excluded.scheme_version,
               computed_at = excluded.computed_at,
               correlation_id = excluded.correlation_id
         WHERE known.sequence < excluded.sequence
        """,
        [orjson.dumps(rows, default=str).decode()],
    ).rowcount
