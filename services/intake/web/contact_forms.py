"""The form of a contact: what stands in it at first, and what is made of what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, get_args

from services.intake.domain.commands.contacts import ContactKind, RecordContact
from services.intake.domain.commands.corrections import AmendContact, AmendReason
from services.intake.domain.times import EARLIEST, LATEST
from services.intake.handlers.texts import ContactRecord
from services.intake.settings import IntakeSettings
from services.intake.web.forms import InvalidForm, read_id, read_text
from services.intake.web.rendering import tell
from shared.errors import Rejected
from shared.frame.forms import Form
from shared.identifiers import new_id
from shared.site import CHINA

SUFFIXES: Final = ("", *(f"_{number}" for number in range(2, 21)))  # of the groups; the first one is in sight
GROUPS: Final = tuple(f"{name}{suffix}" for suffix in SUFFIXES for name in ("population_group", "people_count"))
SINGLE: Final = (
    "id", "version", "cadre", "kind", "occurred_at", "place_code", "note", "companions", "first_on", "last_on",
    "late_reason", "reason_code", "reason",
)  # fmt: skip
MORE: Final = ("companions", "first_on", "last_on", "late_reason", *GROUPS[2:])
ROWS: Final = 3  # of groups, where no more are used
LONGEST: Final = {"note": 20_000, "companions": 1_300, "late_reason": 500, "reason": 500}
MOST_PEOPLE: Final = 100_000


class GroupTwice(Rejected):
    code = "group-named-twice"


class GroupWithoutCount(Rejected):
    code = "group-without-count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a form says of a contact, read and checked; the same names as in the commands."""

    kind: ContactKind
    occurred_at: datetime
    population_group: str | None
    people_count: int | None
    people_by_group: Mapping[str, int] | None
    companions: tuple[str, ...]
    first_on: date | None
    last_on: date | None
    place_code: str | None
    note: str | None

    def as_values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def first_values(*, cadre: str, place: str, now: datetime) -> dict[str, Any]:
    """Today, the last place, a visit: what is not otherwise need not be touched."""
    begun = _local(now.replace(minute=now.minute // 5 * 5))
    told = {"id": str(new_id()), "cadre": cadre, "place_code": place, "kind": "visit", "occurred_at": begun}
    return _filled_in(told)


def values_of(contact: ContactRecord) -> dict[str, Any]:
    """The form of a contact that stands."""
    groups: list[tuple[str, int | None]] = [*(contact.people_by_group or {}).items()]
    groups = groups or [(contact.population_group or "", contact.people_count)]
    numbered: dict[str, Any] = {}
    for suffix, (group, count) in zip(SUFFIXES, groups, strict=False):
        numbered |= {f"population_group{suffix}": group, f"people_count{suffix}": "" if count is None else count}
    told = {
        "id": str(contact.id),
        "version": str(contact.version),
        "kind": contact.kind,
        "occurred_at": _local(contact.occurred_at),
        "place_code": contact.place_code or "",
        "note": contact.note or "",
        "companions": ", ".join(contact.companions),
        "first_on": str(contact.first_on or ""),
        "last_on": str(contact.last_on or ""),
        **numbered,
    }
    return _filled_in(told)


def typed_values(form: Form) -> dict[str, Any]:
    """What was typed, for the same form again: nothing is lost."""
    return _filled_in({name: form.get(name) for name in (*SINGLE, *GROUPS)})


def _filled_in(told: Mapping[str, Any]) -> dict[str, Any]:
    """With a value for every entry, with how many rows of groups there are, and whether what is folded is in use."""
    form = {**dict.fromkeys((*SINGLE, *GROUPS), ""), **told}
    used = [number for number, suffix in enumerate(SUFFIXES, start=1) if form[f"population_group{suffix}"]]
    return {**form, "rows": max([ROWS, *used]), "has_more": any(form[name] != "" for name in MORE)}


def read_record(form: Form, staff_number: str, settings: IntakeSettings) -> RecordContact:
    """Raises InvalidForm, GroupTwice, GroupWithoutCount."""
    return RecordContact(
        **tell(read_id(form)),
        **_read(form).as_values(),
        staff_number=staff_number,
        late_reason=_text(form, "late_reason"),
        record_within=timedelta(days=settings.record_within_days),
    )


def read_amendment(form: Form, contact: ContactRecord, settings: IntakeSettings) -> AmendContact:
    """Raises InvalidForm, GroupTwice, GroupWithoutCount. What the form has no entry for stays as it is.

    So do the seconds of a time that was not touched.
    """
    said = _read(form).as_values()
    if _local(contact.occurred_at) == form.get("occurred_at"):
        said["occurred_at"] = contact.occurred_at
    version = form.get("version")
    if form.get("reason_code") not in get_args(AmendReason) or not version.isascii() or not version.isdigit():
        raise InvalidForm("a reason and a version are needed")
    return AmendContact(
        **tell(contact.id),
        **said,
        duration_minutes=contact.duration_minutes,
        version=int(version[:9]),
        reason_code=form.get("reason_code"),  # type: ignore[arg-type] # one of them, as was just looked at
        reason=_text(form, "reason"),
        correct_within=timedelta(days=settings.correct_within_days),
        record_within=timedelta(days=settings.record_within_days),
    )


def _read(form: Form) -> Said:
    kind = form.get("kind")
    if kind not in get_args(ContactKind):
        raise InvalidForm("no such kind")
    group, count, groups = _read_people(form)
    return Said(
        kind=kind,  # type: ignore[arg-type] # one of them, as was just looked at
        occurred_at=_read_instant(form.get("occurred_at")),
        population_group=group,
        people_count=count,
        people_by_group=groups,
        companions=tuple(
            (_text(form, "companions") or "").replace(",", " ").replace("，", " ").replace("、", " ").split()
        ),
        first_on=_read_day(form.get("first_on")),
        last_on=_read_day(form.get("last_on")),
        place_code=_code(form, "place_code"),
        note=_text(form, "note"),
    )


def _read_people(form: Form) -> tuple[str | None, int | None, dict[str, int] | None]:
    """One group with or without a count stays as it is; several need a count each."""
    pairs = [(_code(form, f"population_group{suffix}"), _count(form, f"people_count{suffix}")) for suffix in SUFFIXES]
    named = [(group, count) for group, count in pairs if group is not None]
    if len(named) <= 1 and not any(pair != (None, None) for pair in pairs[1:]):
        return (*pairs[0], None)
    if any(group is None and count is not None for group, count in pairs) or any(count is None for _, count in named):
        raise GroupWithoutCount("each of several groups has its count")
    groups = {group: count for group, count in named if count is not None}
    if len(groups) != len(named):
        raise GroupTwice("each group is named once")
    return None, None, groups


def _text(form: Form, name: str) -> str | None:
    return read_text(form, name, LONGEST[name])


def _code(form: Form, name: str) -> str | None:
    text = read_text(form, name, 64)
    if text is not None and len(text.split()) != 1:
        raise InvalidForm("a code has no spaces")
    return text


def _count(form: Form, name: str) -> int | None:
    text = form.get(name).strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) > MOST_PEOPLE:
        raise InvalidForm("no count of people")
    return int(text)


def _read_instant(text: str) -> datetime:
    """A browser sends the day and the time that the person sees on the wall."""
    try:
        at = datetime.strptime(text[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=CHINA).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidForm("no time") from None
    if not EARLIEST <= at <= LATEST:
        raise InvalidForm("no time that can be")
    return at


def _read_day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidForm("no day") from None
    if not EARLIEST.date() <= day <= LATEST.date():
        raise InvalidForm("no day that can be")
    return day


def _local(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%dT%H:%M")
