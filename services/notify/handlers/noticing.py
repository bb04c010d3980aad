"""Going through the log of events, and noting who is to be told of what: by the rules, the registers and identity."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from services.notify import metrics
from services.notify.domain.events import HeardEvent
from services.notify.domain.holdings import Holding
from services.notify.domain.notices import Key, Notice, Recipient
from services.notify.domain.periods import name_period
from services.notify.domain.rules import AFTER_DIGEST, ROLE_OF, UPWARDS, Mode, Rule, choose_mode, due_at
from services.notify.storage import events, posts, recipients, registers
from services.notify.storage import notices as storage
from services.notify.storage.directory import Directory, Holder
from services.notify.storage.registers import Unit
from shared.contracts.assessment import DutyShortfallFound, DutyShortfallsCounted
from shared.contracts.base import Event
from shared.contracts.envelope import decode
from shared.contracts.intake.issues import IssueAssigned
from shared.database import Connection, Pool, transaction
from shared.errors import Rejected
from shared.observability import get_logger
from shared.working_time import Calendar

BATCH = 500
# What a notice says of an event: by the name that templates know, the field of the contract.
INSTANTS_AND_CODES: Final = (
    ("clock", "clock"),
    ("level", "level"),
    ("due", "due_at"),
    ("due", "from_at"),
    ("ends", "ends_on"),
)
FLAGS_AND_COUNTS: Final = (
    ("granted", "granted"),
    ("granted", "upheld"),
    ("count", "booked_count"),
    ("count", "duties_short"),
    ("count", "cadres_short"),
    ("owing", "cadres_owing"),
)

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRules:
    """`groups` are the names of robots by the code of the unit whose group they speak to."""

    rules: Sequence[Rule]
    calendar: Calendar
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    batch: int = BATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """An event with a rule that it falls under, and the unit and cadres that it concerns."""

    heard: HeardEvent
    event: Event
    rule: Rule
    issue_id: UUID | None
    unit_id: UUID | None
    cadre_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Who has which issue, and which of them are neither a complaint nor a report."""

    holdings: Mapping[UUID, Holding]
    shareable: set[UUID]


@dataclass(slots=True, kw_only=True)
class _Page:
    position: int
    last: int
    told: list[_Told]
    units: dict[UUID, Unit]
    staff_numbers: dict[UUID, str]


def note_events(
    pool: Pool, rules: NoticeRules, directory: Directory, *, now: datetime, new_id: Callable[[], UUID]
) -> int:
    """Go through one batch of the log; return how many events that were. Safe to run twice, also at the same time."""
    with transaction(pool) as connection:
        page = _read(connection, rules, now)
    if page is None:
        return 0
    holders = _ask(directory, page)  # no transaction is open while identity is asked
    with transaction(pool) as connection:
        if storage.lock_position(connection) != page.position:
            return 0  # somebody else is at it, or was faster
        made = _make(connection, rules, page, holders, now, new_id)
        count = storage.insert_notices(connection, made)
        storage.set_position(connection, page.last)
    metrics.notices_made_total.inc(count)
    return page.last - page.position


def measure_unread(pool: Pool) -> tuple[int, float]:
    with transaction(pool) as connection:
        return storage.measure_unread(connection)


def _read(connection: Connection, rules: NoticeRules, now: datetime) -> _Page | None:
    position = storage.get_position(connection)
    heard = events.list_events(connection, after=position, limit=rules.batch)
    if not heard:
        return None
    by_event = {rule.event for rule in rules.rules}
    opened = [(item, event) for item in heard if item.type in by_event and (event := _open(item)) is not None]
    issue_ids = {event.aggregate_id for item, event in opened if item.aggregate == "issue"}
    known = _Known(
        holdings=registers.find_holdings(connection, sorted(issue_ids)),
        shareable=registers.find_shareable(connection, sorted(issue_ids)),
    )
    told = [
        found
        for item, event in opened
        for rule in rules.rules
        if rule.event == item.type and (found := _match(item, event, rule, known, now)) is not None
    ]
    units = registers.list_units(connection, sorted({item.unit_id for item in told if item.unit_id is not None}))
    cadres = sorted({item.cadre_id for item in told if item.cadre_id is not None})
    return _Page(
        position=position,
        last=heard[-1].position,
        told=told,
        units={unit.id: unit for unit in units},
        staff_numbers=posts.find_staff_numbers(connection, cadres),
    )


def _open(item: HeardEvent) -> Event | None:
    """None for what a later release heard, and this one does not know."""
    try:
        return decode(item.envelope.encode()).event
    except Rejected as error:
        log.warning("event_unreadable", position=item.position, code=error.code)
        return None


def _match(heard: HeardEvent, event: Event, rule: Rule, known: _Known, now: datetime) -> _Told | None:
    """None for what is not worth telling any more: too old, or of an issue that is closed or went elsewhere.

    And for what a superior is not told: whoever a complaint or a report is about may be one.
    """
    if (heard.occurred_at or heard.recorded_at) + rule.valid_for <= now:
        return None
    holding = known.holdings.get(event.aggregate_id)
    if holding is not None and holding.is_closed and rule.while_open:
        return None
    if rule.to == "superior" and heard.aggregate == "issue" and event.aggregate_id not in known.shareable:
        return None
    named: UUID | None = getattr(event, "cadre_id", None)
    is_of_named = rule.to == "named" or (rule.to == "superior" and heard.aggregate != "issue")
    has_moved = (
        isinstance(event, IssueAssigned) and holding is not None and holding.organisation_id != (event.organisation_id)
    )
    if has_moved:
        return None
    unit_id = holding.organisation_id if holding is not None else next(iter(heard.organisation_ids), None)
    return _Told(
        heard=heard,
        event=event,
        rule=rule,
        issue_id=event.aggregate_id if heard.aggregate == "issue" else None,
        unit_id=unit_id,
        cadre_id=named if is_of_named else (holding.cadre_id if holding is not None else None),
    )


def _ask(directory: Directory, page: _Page) -> dict[str, list[Holder]]:
    """By role who holds it in the units concerned; for officers and superiors in those above as well."""
    asked: dict[str, set[str]] = {}
    for item in page.told:
        role, unit = ROLE_OF.get(item.rule.to), page.units.get(item.unit_id) if item.unit_id is not None else None
        if role is not None and unit is not None:
            asked.setdefault(role, set()).update(unit.codes if item.rule.to in UPWARDS else [unit.code])
    return {role: directory.list_holders(role, sorted(codes)) for role, codes in sorted(asked.items())}


def _make(
    connection: Connection,
    rules: NoticeRules,
    page: _Page,
    holders: Mapping[str, Sequence[Holder]],
    now: datetime,
    new_id: Callable[[], UUID],
) -> list[Notice]:
    wanted = [(item, key) for item in page.told for key in _keys_of(item, page, holders, rules.groups)]
    keys = list(dict.fromkeys(key for _, key in wanted))
    known = recipients.upsert_recipients(connection, [(new_id(), key) for key in keys]) if keys else []
    by_key = {key_of(recipient): recipient for recipient in known}
    own = recipients.list_own_preferences(connection, [recipient.id for recipient in known])
    of_units = recipients.list_unit_preferences(connection, list(page.units))
    made = []
    for item, key in wanted:
        recipient = by_key.get(key)
        if recipient is None:
            continue
        of_unit = of_units.get((item.unit_id, item.rule.code)) if item.unit_id is not None else None
        mode = choose_mode(item.rule, own.get((recipient.id, item.rule.code)), of_unit)
        if mode is not None:
            due = due_at(mode, recipient.habits, rules.calendar, now=now)
            made.append(_notice(new_id(), item, recipient, mode=mode, made_at=now, due=due, page=page))
    return made


def _keys_of(
    item: _Told, page: _Page, holders: Mapping[str, Sequence[Holder]], groups: Mapping[str, Sequence[str]]
) -> Iterable[Key]:
    if item.rule.to in {"responsible", "named"}:
        number = page.staff_numbers.get(item.cadre_id) if item.cadre_id is not None else None
        return [Key(staff_number=number)] if number is not None else []
    unit = page.units.get(item.unit_id) if item.unit_id is not None else None
    if unit is None:
        return []
    if item.rule.to == "group":
        nearest = next((groups[code] for code in reversed(unit.codes) if code in groups), ())
        return [Key(robot=name) for name in nearest]
    found = _others(item, page, holders.get(ROLE_OF[item.rule.to], ()))
    codes = list(reversed(unit.codes)) if item.rule.to in UPWARDS else [unit.code]
    at = next((code for code in codes if any(holder.organisation_code == code for holder in found)), None)
    return [key_of(holder) for holder in found if holder.organisation_code == at]


def _others(item: _Told, page: _Page, holders: Sequence[Holder]) -> Sequence[Holder]:
    """Nobody is one's own superior: whoever heads the unit alone has one in the unit above."""
    if item.rule.to != "superior" or item.cadre_id is None:
        return holders
    own = page.staff_numbers.get(item.cadre_id)
    return [holder for holder in holders if own is None or holder.staff_number != own]


def key_of(of: Holder | Recipient) -> Key:
    """By staff number where there is one, so that all accounts of a person share an inbox."""
    robot = of.robot if isinstance(of, Recipient) else None
    if of.staff_number is not None:
        return Key(staff_number=of.staff_number)
    return Key(robot=robot) if robot is not None else Key(account_id=of.account_id)


def _notice(  # noqa: PLR0913 - one value a column
    notice_id: UUID, item: _Told, recipient: Recipient, *, mode: Mode, made_at: datetime, due: datetime, page: _Page
) -> Notice:
    happened_at = item.heard.occurred_at or item.heard.recorded_at
    return Notice(
        id=notice_id,
        recipient_id=recipient.id,
        rule=item.rule.code,
        topic=item.rule.topic,
        event_id=item.heard.event_id,
        issue_id=item.issue_id,
        facts=_facts_of(item, page.units.get(item.unit_id) if item.unit_id is not None else None),
        mode=mode,
        is_compulsory=item.rule.is_compulsory,
        made_at=made_at,
        due_at=due,
        # Holidays may be longer than what is told is worth: it is told with the digest after them all the same.
        valid_until=max(happened_at + item.rule.valid_for, due + AFTER_DIGEST),
    )


def _facts_of(item: _Told, unit: Unit | None) -> dict[str, Any]:
    event = item.event
    facts: dict[str, Any] = {"unit": (unit.name or unit.code) if unit is not None else ""}
    if item.issue_id is not None:
        facts["issue"] = str(item.issue_id)
    for fact, field_name in INSTANTS_AND_CODES:
        value = getattr(event, field_name, None)
        if value is not None:
            facts[fact] = value.isoformat() if isinstance(value, date) else value
    for fact, field_name in FLAGS_AND_COUNTS:
        if hasattr(event, field_name):
            facts[fact] = getattr(event, field_name)
    if isinstance(event, DutyShortfallFound | DutyShortfallsCounted):
        facts["period"] = name_period(event.per, event.period_start)
    return facts
