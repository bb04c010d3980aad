"""What the databases hold, read once and as plain values, so that an oracle is a pure function of it."""

from dataclasses import dataclass, field
from typing import Any

from shared.database import Connection
from tests.harness.suite import Suite

NOBODY = "00000000-0000-0000-0000-000000000000"
Row = tuple[Any, ...]


@dataclass(slots=True, kw_only=True)
class Record:
    """A stored contact, issue or rating. `content` is what assessment must come to hold of it."""

    id: str
    reference: str  # the source's own number where there is one, else the id
    sequence: int  # how many events it must have given rise to
    content: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    event_id: str
    event_type: str
    aggregate_id: str
    sequence: int


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Lists and not sets: an oracle must be able to see the same thing twice."""

    organisations: list[str] = field(default_factory=list)
    cadres: list[str] = field(default_factory=list)
    registers: list[tuple[str, int]] = field(default_factory=list)  # id and sequence of every register entry
    contacts: list[Record] = field(default_factory=list)
    issues: list[Record] = field(default_factory=list)
    ratings: list[Record] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)  # idempotency key, record
    outbox: list[LoggedEvent] = field(default_factory=list)
    inbox: list[str] = field(default_factory=list)
    log: list[LoggedEvent] = field(default_factory=list)
    contact_facts: list[Row] = field(default_factory=list)
    issue_facts: list[Row] = field(default_factory=list)
    rating_facts: list[Row] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)  # sums over all tallies
    scores: list[Row] = field(default_factory=list)  # that are told: id, how many times, and what the last must say
    told_scores: list[Row] = field(default_factory=list)  # by events: id, sequence, composite

    def records(self) -> list[Record]:
        return [*self.contacts, *self.issues, *self.ratings]


def read_evidence(suite: Suite) -> Evidence:
    with suite.database("intake") as intake, suite.database("assessment") as assessment:
        return read_databases(intake, assessment)


def read_databases(intake: Connection, assessment: Connection) -> Evidence:
    return Evidence(
        organisations=[str(row[0]) for row in intake.execute("SELECT code FROM organisation")],
        cadres=[str(row[0]) for row in intake.execute("SELECT staff_number FROM cadre")],
        registers=_registers(intake),
        contacts=_contacts(intake),
        issues=_issues(intake),
        ratings=_ratings(intake),
        keys=[(str(row[0]), str(row[1])) for row in intake.execute("SELECT key, record_id FROM idempotency_key")],
        outbox=_events(intake, "SELECT event_id, event_type, aggregate_id, sequence FROM outbox"),
        inbox=[
            str(row[0]) for row in assessment.execute("SELECT event_id FROM inbox WHERE consumer = 'assessment.facts'")
        ],
        log=_events(assessment, "SELECT event_id, event_type, aggregate_id, sequence FROM event"),
        contact_facts=_facts(
            assessment,
            "SELECT contact_id::text, organisation_id::text, cadre_id::text, kind, occurred_at FROM contact_fact",
        ),
        issue_facts=_facts(
            assessment,
            """
            SELECT issue_id::text, organisation_id::text, cadre_id::text, received_at, due_at, responded_at, closed_at,
                   outcome
              FROM issue_fact
            """,
        ),
        rating_facts=_facts(
            assessment,
            """
            SELECT rating_id::text, issue_id::text, contact_id::text, level::integer, solved, rated_at
              FROM rating_fact
            """,
        ),
        counted=_counted(assessment),
        scores=_facts(
            assessment,
            """
            SELECT score_id::text, announced_sequence, composite::text
              FROM score
             WHERE subject_code IS NOT NULL
               AND period_kind <> 'half_year'
            """,
        ),
        told_scores=_facts(
            assessment,
            """
            SELECT aggregate_id::text, sequence, payload->>'composite'
              FROM outbox
             WHERE event_type = 'cn.lianxin.score.computed.v1'
            """,
        ),
    )


def _registers(intake: Connection) -> list[tuple[str, int]]:
    rows = intake.execute(
        """
        SELECT id, sequence FROM organisation
         UNION ALL
        SELECT id, sequence FROM cadre
         UNION ALL
        SELECT id, sequence FROM post
         UNION ALL
        SELECT id, sequence FROM duty
        """
    )
    return [(str(row[0]), int(str(row[1]))) for row in rows]


def _contacts(intake: Connection) -> list[Record]:
    rows = intake.execute(
        """
        SELECT id::text, coalesce(source_number, id::text), 1,
               coalesce(organisation_id::text, %s), cadre_id::text, kind, occurred_at
          FROM contact
        """,
        [NOBODY],
    )
    return [_record(row) for row in rows]


def _issues(intake: Connection) -> list[Record]:
    rows = intake.execute(
        """
        SELECT id::text, coalesce(source_number, id::text), sequence,
               coalesce(organisation_id::text, %(nobody)s), coalesce(cadre_id::text, %(nobody)s), received_at, due_at,
               responded_at, closed_at, outcome
          FROM issue
        """,
        {"nobody": NOBODY},
    )
    return [_record(row) for row in rows]


def _ratings(intake: Connection) -> list[Record]:
    rows = intake.execute(
        """
        SELECT id::text, coalesce(source_number, id::text), 1,
               issue_id::text, contact_id::text, level::integer, solved, rated_at
          FROM rating
        """
    )
    return [_record(row) for row in rows]


def _record(row: Row) -> Record:
    return Record(id=row[0], reference=row[1], sequence=row[2], content=(row[0], *row[3:]))


def _events(connection: Connection, statement: Any) -> list[LoggedEvent]:
    return [
        LoggedEvent(event_id=str(row[0]), event_type=str(row[1]), aggregate_id=str(row[2]), sequence=int(str(row[3])))
        for row in connection.execute(statement)
    ]


def _facts(assessment: Connection, statement: Any) -> list[Row]:
    return list(assessment.execute(statement))


def _counted(assessment: Connection) -> dict[str, int]:
    row = assessment.execute(
        """
        SELECT coalesce(sum(contacts), 0)::bigint, coalesce(sum(issues_received), 0)::bigint,
               coalesce(sum(closed), 0)::bigint, coalesce(sum(ratings), 0)::bigint,
               coalesce(sum(rating_level_sum), 0)::bigint
          FROM tally
        """
    ).fetchone()
    names = ("contacts", "issues", "closed issues", "ratings", "rating levels")
    return dict(zip(names, (int(str(value)) for value in row), strict=True)) if row else {}
