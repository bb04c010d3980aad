"""Receiving issues: new ones, repeats, and what another system tells anew about one that stands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.intake import metrics
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.domain.issues.leading import HandledBySubject
from services.intake.domain.issues.life import Issue, state_of
from services.intake.domain.issues.receiving import Progress, catch_up, check_issue, digest_content, digest_progress
from services.intake.domain.issues.steps import Details, Step, take
from services.intake.domain.registers import day_in_china, rejected
from services.intake.domain.repeats import natural_key, other_content, out_of_reach, unknown
from services.intake.handlers import filings
from services.intake.handlers.batches import BatchRaced, Events, run_batch
from services.intake.handlers.citizens import KnownCitizen, by_record, keep_used, settle_new
from services.intake.handlers.clocks.settling import Counted, settle
from services.intake.handlers.clocks.telling import name_deadlines
from services.intake.handlers.issue_steps.events import events_of
from services.intake.handlers.issue_steps.taking import Taken, write_taken
from services.intake.handlers.records import Candidate, Sorted, created, hexadecimal, refuse_taken, sort_out
from services.intake.handlers.texts import IssueRecord, hold, open_issue
from services.intake.sealing import vault
from services.intake.storage import categories, clock_rules, contacts, issue_steps, recusal, registers
from services.intake.storage import issues as storage
from services.intake.storage.reach import may_enter_issue
from shared.contracts.intake.issues import IssueReceived
from shared.database import Connection, Pool, transaction
from shared.outbox import OutgoingEvent

MISDIRECTED = Outcome(
    status="rejected", code=HandledBySubject.code, detail="a complaint does not go to whom it is about, nor to the unit"
)
UNKNOWN_CATEGORY = rejected("unknown-category", "the place has categories, and this is none of them")
Met = tuple[int, Candidate[ReceiveIssue], storage.StoredIssue]


def receive_issues(
    pool: Pool,
    commands: Sequence[ReceiveIssue],
    *,
    now: datetime,
    allow_odd: bool = False,
    refuse_unknown_categories: bool = False,
) -> list[Outcome]:
    """Receive issues, finished ones too.

    A repeat of the same id with other content is a conflict. Under a source's number it brings the issue up to date
    instead, forward only; what it tells otherwise and was not taken over is flagged `differs`.
    """

    def run(connection: Connection, fresh: list[ReceiveIssue], events: Events) -> list[Outcome]:
        candidates = [_candidate(command, now, allow_odd=allow_odd) for command in fresh]
        _judge_categories(connection, candidates, now, refuse=refuse_unknown_categories and not allow_odd)
        complaints = _refuse_misdirected(connection, candidates, now)
        _refuse_unknown_cadres(connection, candidates)
        settled = settle_new(
            connection, candidates, lambda some: storage.list_standing_issues(connection, some), now=now
        )
        rows = [
            _row(candidate, settled.get(position), now)
            for position, candidate in enumerate(candidates)
            if candidate.check.refusal is None
        ]
        with recusal.entering(connection, complaints=complaints):
            inserted = storage.insert_issues(connection, rows, recorded_at=now) if rows else []
        keep_used(connection, "issue", by_record(fresh, settled), inserted)
        filed = [(one.command, settled.get(position)) for position, one in enumerate(candidates) if one.command.filing]
        if filed:
            filings.enter_filings(connection, filed, made={issue.id for issue in inserted}, now=now)
        has_rules = bool(inserted) and clock_rules.are_there_rules(connection)
        counted = settle(connection, [issue.id for issue in inserted], now=now) if has_rules else {}
        outcomes: dict[int, Outcome] = {}
        met: list[Met] = []
        listed = sort_out(candidates, inserted, lambda some: storage.list_standing_issues(connection, some))
        for position, item in enumerate(listed):
            if item.candidate.check.refusal is not None:
                outcomes[position] = item.candidate.check.refusal
            elif item.made is not None:
                events.extend(_first_events(item.candidate.command, item.made, counted.get(item.made.id)))
                outcomes[position] = created(item.made, item.candidate.check)
            elif item.met is not None:
                met.append((position, item.candidate, item.met))
            else:
                outcomes[position] = _refuse_unknown(connection, item.candidate.command, now)
        _take_histories(connection, listed, events, now)
        outcomes.update(_settle_met(connection, met, events, now))
        return [outcomes[position] for position in range(len(fresh))]

    outcomes = run_batch("receive_issues", pool, commands, run, now=now)
    metrics.issues_received_total.inc(sum(outcome.status == "created" for outcome in outcomes))
    return outcomes


def _take_histories(
    connection: Connection, listed: Sequence[Sorted[ReceiveIssue, storage.StoredIssue]], events: Events, now: datetime
) -> None:
    """Take the steps that new issues came with, each at its time."""
    begun = [
        (position, item.candidate, item.made)
        for position, item in enumerate(listed)
        if item.made is not None and item.candidate.command.has_history
    ]
    if begun:
        _bring_up_to_date(connection, begun, events, now)


def get_issue(pool: Pool, issue_id: UUID) -> IssueRecord:
    """Raises IssueNotFound."""
    with transaction(pool) as connection:
        row = storage.get_issue(connection, issue_id)
    return open_issue(row)


def _candidate(command: ReceiveIssue, now: datetime, *, allow_odd: bool) -> Candidate[ReceiveIssue]:
    check = check_issue(command, received_at=command.received_at or now, now=now, allow_odd=allow_odd)
    content_hash = vault().keyed(digest_content(command)) if check.refusal is None else b""
    return Candidate(command=command, check=check, content_hash=content_hash)


def _judge_categories(
    connection: Connection, candidates: Sequence[Candidate[ReceiveIssue]], now: datetime, *, refuse: bool
) -> None:
    """Flag, or refuse, what names no category of its place. Where nobody has defined any, every one is as good."""
    rows = [
        {
            "position": position,
            "category": candidate.command.category,
            "organisation_code": candidate.command.organisation_code,
            "received_on": day_in_china(candidate.command.received_at or now),
        }
        for position, candidate in enumerate(candidates)
        if candidate.check.refusal is None
    ]
    for position in categories.list_unknown(connection, rows) if rows else ():
        if refuse:
            candidates[position].check.refusal = UNKNOWN_CATEGORY
        else:
            candidates[position].check.flags.append("unknown_category")


def _refuse_misdirected(connection: Connection, candidates: Sequence[Candidate[ReceiveIssue]], now: datetime) -> bool:
    """Refuse what would go to whom it complains about; return whether there are complaints about officials at all."""
    rows = [
        {
            "position": position,
            "subject": candidate.command.subject_staff_number,
            "staff_number": candidate.command.staff_number,
            "organisation_code": candidate.command.organisation_code,
            "received_at": candidate.command.received_at or now,
        }
        for position, candidate in enumerate(candidates)
        if candidate.check.refusal is None and candidate.command.subject_staff_number is not None
    ]
    for position in recusal.list_misdirected(connection, rows) if rows else ():
        candidates[position].check.refusal = MISDIRECTED
    return bool(rows)


def _refuse_unknown_cadres(connection: Connection, candidates: Sequence[Candidate[ReceiveIssue]]) -> None:
    """Of issues with a history, whose cadre is named by a step and not by their row."""
    wanted = [
        one
        for one in candidates
        if one.check.refusal is None and one.command.has_history and one.command.staff_number is not None
    ]
    known = registers.find_cadre_ids(connection, [one.command.staff_number or "" for one in wanted]) if wanted else {}
    for one in wanted:
        if one.command.staff_number not in known:
            one.check.refusal = unknown("cadre")


def _row(candidate: Candidate[ReceiveIssue], citizen: KnownCitizen | None, now: datetime) -> dict[str, object]:
    command = _as_received(candidate.command)
    key = citizen.key if citizen else None
    received_at = command.received_at or now
    respond_by = command.respond_by
    if respond_by is None and command.respond_within is not None:
        respond_by = received_at + command.respond_within
    return {
        "id": command.id,
        "source": command.source,
        "source_number": command.source_number,
        "type": command.type,
        "category": command.category,
        "channel": command.channel,
        "urgency": command.urgency,
        "title_sealed": vault().seal_if("issue", "title", command.id, command.title, key),
        "description_sealed": vault().seal_if("issue", "description", command.id, command.description, key),
        "received_at": received_at,
        "respond_by": respond_by,
        "due_at": command.due_at,
        "told_respond_by": command.respond_by,
        "contact_id": command.contact_id,
        "contact_source_number": command.contact_source_number,
        "organisation_code": command.organisation_code,
        "dispatch_code": candidate.command.organisation_code if candidate.command.has_history else None,
        "staff_number": command.staff_number,
        "return_count": command.return_count,
        "redo_count": command.redo_count,
        "assigned_at": received_at if command.organisation_code is not None else None,
        "responded_at": command.responded_at,
        "closed_at": command.closed_at,
        "outcome": command.outcome,
        "reply_sealed": vault().seal_if("issue", "reply", command.id, command.reply, key),
        "citizen_ref": citizen.ref if citizen else None,
        "subject_staff_number": command.subject_staff_number,
        "status": _status(command),
        "sequence": 1 + (command.responded_at is not None) + (command.closed_at is not None),
        "flags": candidate.check.flags,
        "content_hash": hexadecimal(candidate.content_hash),
        "progress_hash": hexadecimal(_progress_hash(candidate.command)),
    }


def _as_received(command: ReceiveIssue) -> ReceiveIssue:
    """What a command with a history tells of the moment of the receipt: nothing had been done."""
    if not command.has_history:
        return command
    return replace(
        command,
        organisation_code=None,
        staff_number=None,
        assigned_at=None,
        signed_at=None,
        responded_at=None,
        replied_at=None,
        closed_at=None,
        outcome=None,
        reply=None,
    )


def _progress_hash(command: ReceiveIssue) -> bytes:
    return vault().keyed(digest_progress(command))


def _status(command: ReceiveIssue) -> str:
    return state_of(
        closed_at=command.closed_at,
        responded_at=command.responded_at,
        is_assigned=command.organisation_code is not None,
    )


def _first_events(command: ReceiveIssue, issue: storage.StoredIssue, counted: Counted | None) -> list[OutgoingEvent]:
    """Where no rule made deadlines, they are those that were told, and what the setting gives for the first contact."""
    told = {"respond_by": issue.respond_by, "due_at": command.due_at}
    command = _as_received(command)
    received = IssueReceived(
        issue_id=issue.id,
        issue_type=command.type,
        category=command.category,
        channel=command.channel,
        urgency=command.urgency,
        source=command.source,
        received_at=issue.received_at,
        organisation_id=issue.organisation_id,
        cadre_id=issue.cadre_id,
        contact_id=issue.contact_id,
        citizen_ref=issue.citizen_ref,
        told_return_count=command.return_count,
        told_redo_count=command.redo_count,
        **(name_deadlines(counted) if counted else told),
    )
    before = Issue(
        id=issue.id,
        source=issue.source,
        source_number=issue.source_number,
        received_at=issue.received_at,
        organisation_id=issue.organisation_id,
        cadre_id=issue.cadre_id,
        sequence=1,
        flags=[],
        content_hash=b"",
        progress_hash=b"",
    )
    steps = []
    if command.responded_at is not None:
        steps.append(Step(kind="contacted", happened_at=command.responded_at))
    if command.closed_at is not None:
        details = Details(outcome=command.outcome)
        steps.append(Step(kind="closed", happened_at=command.closed_at, details=details, reply=command.reply))
    first = OutgoingEvent(event=received, sequence=1, correlation_id=command.correlation_id)
    return [first, *events_of(before, steps, command.correlation_id, counted=counted)]


def _settle_met(connection: Connection, met: Sequence[Met], events: Events, now: datetime) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {}
    behind: list[Met] = []
    for position, candidate, issue in met:
        command = candidate.command
        same = issue.content_hash == candidate.content_hash and issue.progress_hash == _progress_hash(command)
        if natural_key(command) != natural_key(issue) or (command.source_number is None and not same):
            outcomes[position] = other_content(issue.id)
        elif same:
            outcomes[position] = Outcome(status="unchanged", id=issue.id)
        else:
            behind.append((position, candidate, issue))
    return {**outcomes, **(_bring_up_to_date(connection, behind, events, now) if behind else {})}


def _bring_up_to_date(
    connection: Connection, behind: Sequence[Met], events: Events, now: datetime
) -> dict[int, Outcome]:
    commands = [candidate.command for _, candidate, _ in behind]
    organisation_ids = registers.find_organisation_ids(
        connection, [command.organisation_code for command in commands if command.organisation_code is not None]
    )
    cadre_ids = registers.find_cadre_ids(
        connection, [command.staff_number for command in commands if command.staff_number is not None]
    )
    held = hold(issue_steps.lock_issues(connection, [issue.id for _, _, issue in behind]))
    issues = dict(held.before)
    taken: list[Taken] = []
    outcomes: dict[int, Outcome] = {}
    for position, candidate, known in behind:
        command, issue = candidate.command, issues[known.id]
        if command.organisation_code is not None and command.organisation_code not in organisation_ids:
            outcomes[position] = unknown("organisation")
            continue
        if command.staff_number is not None and command.staff_number not in cadre_ids:
            outcomes[position] = unknown("cadre")
            continue
        if _would_go_to_subject(connection, issue, command, organisation_ids, cadre_ids):
            outcomes[position] = MISDIRECTED
            continue
        progress = Progress(
            organisation_id=organisation_ids[command.organisation_code] if command.organisation_code else None,
            cadre_id=cadre_ids[command.staff_number] if command.staff_number else None,
            responded_at=command.responded_at,
            closed_at=command.closed_at,
            outcome=command.outcome,
            reply=command.reply,
            assigned_at=command.assigned_at,
            signed_at=command.signed_at,
            replied_at=command.replied_at,
        )
        steps, differs = catch_up(issue, progress, at=now)
        differs = differs or candidate.content_hash != issue.content_hash
        odd = candidate.check.flags
        taken.append(Taken(before=issue, steps=steps, correlation_id=command.correlation_id))
        issues[issue.id] = replace(
            take(issue, steps),
            progress_hash=_progress_hash(command),
            flags=list(dict.fromkeys([*issue.flags, *odd])),
        )
        outcomes[position] = Outcome(
            status="changed" if steps else "unchanged",
            id=issue.id,
            flags=(*odd, "differs") if differs else tuple(odd),
        )
    write_taken(connection, held, issues, taken, events, now=now)
    return outcomes


def _would_go_to_subject(
    connection: Connection,
    issue: Issue,
    command: ReceiveIssue,
    organisation_ids: Mapping[str, UUID],
    cadre_ids: Mapping[str, UUID],
) -> bool:
    if issue.subject_id is None or command.organisation_code is None:
        return False
    return recusal.is_misdirected(
        connection,
        subject_id=issue.subject_id,
        received_at=issue.received_at,
        organisation_id=organisation_ids[command.organisation_code],
        cadre_id=cadre_ids[command.staff_number] if command.staff_number else None,
    )


def _refuse_unknown(connection: Connection, command: ReceiveIssue, now: datetime) -> Outcome:
    if command.organisation_code and not registers.find_organisation_ids(connection, [command.organisation_code]):
        return unknown("organisation")
    if command.staff_number and not registers.find_cadre_ids(connection, [command.staff_number]):
        return unknown("cadre")
    if command.subject_staff_number and not recusal.is_official(connection, command.subject_staff_number):
        return unknown("subject")
    if contacts.is_contact_missing(
        connection,
        contact_id=command.contact_id,
        source=command.source,
        source_number=command.contact_source_number,
    ):
        return unknown("contact")
    taken = refuse_taken(connection, "issue", command)
    if taken is not None:
        return taken
    if not may_enter_issue(connection, command, received_at=command.received_at or now):
        return out_of_reach()
    raise BatchRaced("a register changed while the batch ran")
