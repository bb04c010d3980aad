"""Going through intake's own log of events, and noting which citizens are to be told of what, in sealed words."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from services.intake import metrics
from services.intake.domain.citizen_messages import Kind, Matter, TellingRules, why_not, word
from services.intake.handlers.rating_links import AlreadyRated, IssueNotClosed, issue_link
from services.intake.sealing import vault
from services.intake.storage import changes
from services.intake.storage import citizen_messages as storage
from services.intake.storage.changes import Change
from services.intake.storage.rating_links import Rated
from shared.database import Connection, Pool, joined, transaction
from shared.identifiers import new_id

EVENTS_A_BATCH: Final = 500
TOKEN_BYTES: Final = 32
KINDS: Final[dict[str, Kind]] = {
    "cn.lianxin.issue.received.v1": "received",
    "cn.lianxin.issue.closed.v1": "answered",
}


def note_citizens(pool: Pool, rules: TellingRules, *, now: datetime, limit: int = EVENTS_A_BATCH) -> int:
    """Go through one batch of the log; return how many events that were. Safe to run twice, also at the same time.

    The first time it begins where the log ends: nobody is told of what happened before anybody was to be told.
    """
    with transaction(pool) as connection:
        is_mine, place = storage.lock_reader(connection)
        if not is_mine:
            return 0
        horizon = changes.get_horizon(connection)
        if place is None or place[0] > horizon.next:  # or of a database that was restored, which counts anew
            storage.set_read_until(connection, (horizon.settled, 0))
            return 0
        events = changes.list_changes(
            connection, after=place, before=horizon.settled, aggregates=["issue"], limit=limit
        )
        for event in events:
            if event.event_type in KINDS:
                _note(connection, event, rules, now)
        if events:
            storage.set_read_until(connection, (events[-1].written_by, events[-1].id))
    return len(events)


def measure_open(pool: Pool, *, now: datetime) -> tuple[int, float]:
    with transaction(pool) as connection:
        return storage.measure_open(connection, now=now)


def _note(connection: Connection, event: Change, rules: TellingRules, now: datetime) -> None:
    kind = KINDS[event.event_type]
    if kind not in rules.wordings or storage.is_made(connection, event.event_id):
        return
    # Anew for each event, since what was made of the one before counts for the phone.
    matter = storage.find_matter(connection, event.aggregate_id, since=now - timedelta(days=1))
    if matter is None:
        return
    reason = "old" if event.recorded_at + rules.valid_for <= now else why_not(matter, kind, rules)
    if reason is not None:
        metrics.citizen_messages_skipped_total.labels(reason).inc()
    elif _make(connection, event, kind, matter, rules, now):
        metrics.citizen_messages_made_total.labels(kind).inc()


def _make(
    connection: Connection, event: Change, kind: Kind, matter: Matter, rules: TellingRules, now: datetime
) -> bool:
    citizen_ref = matter.citizen_ref
    key = vault().open_key(citizen_ref, storage.get_wrapped_key(connection, citizen_ref)) if citizen_ref else None
    if citizen_ref is None or key is None:
        return False
    link = _link(connection, matter, rules, now) if kind == "answered" else None
    text = word(kind, rules, received_at=matter.received_at, link=link)
    message_id = new_id()
    return storage.insert_message(
        connection,
        storage.NewMessage(
            id=message_id,
            event_id=event.event_id,
            citizen_ref=citizen_ref,
            issue_id=matter.issue_id,
            kind=kind,
            text_sealed=vault().seal("citizen_message", "text", message_id, text, key),
            made_at=now,
            valid_until=event.recorded_at + rules.valid_for,
        ),
    )


def _link(connection: Connection, matter: Matter, rules: TellingRules, now: datetime) -> str | None:
    """An address to rate by, unless there are none, or the citizen has rated or was asked in another way."""
    linked = rules.wordings["answered"].linked
    if rules.rating_url is None or linked is None or not matter.may_rate:
        return None
    token = secrets.token_urlsafe(TOKEN_BYTES)
    try:
        issue_link(joined(connection), Rated(issue_id=matter.issue_id), token, now=now)
    except (AlreadyRated, IssueNotClosed):
        return None
    return f"{rules.rating_url}#{token}"
