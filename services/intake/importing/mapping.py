"""A row of someone else's file becomes commands of ours, with remarks on what is wrong or odd about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from services.intake.domain.citizens import NotValid, describe_citizen
from services.intake.domain.commands.base import Command
from services.intake.domain.commands.categories import DefineCategory
from services.intake.domain.commands.channels import PublishChannel
from services.intake.domain.commands.contacts import RecordContact
from services.intake.domain.commands.duties import DefineDuty
from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.domain.commands.liaisons import AssignLiaison, RegisterHousehold, RegisterPoint
from services.intake.domain.commands.populations import DefinePopulationGroup, RecordPopulation
from services.intake.domain.commands.ratings import SubmitRating
from services.intake.domain.commands.registers import EndOrganisation, RecordPost, RegisterCadre, RegisterOrganisation
from services.intake.domain.commands.rosters import (
    MatchPerson,
    RecordAppraisalResult,
    TakeOverCareerLine,
    TakeOverPost,
    TakeOverRank,
)
from services.intake.importing.fields import Compiler, Field, Notes, Origin
from services.intake.importing.findings import FileRefused, Finding, error, flag
from services.intake.importing.instants import InstantParser
from services.intake.importing.plain import PlainRows
from services.intake.importing.profile import Check, Choice, Profile
from services.intake.importing.registering import Registrar
from services.intake.importing.seen import SeenRecords
from services.intake.importing.targets import CITIZEN_FIELDS, CITIZEN_PREFIX, PERSON_FIELDS, TARGETS

NewId = Callable[[], UUID]
Values = dict[str, Any]
LEFT_OUT = flag(0, "left-out", "the profile leaves rows of this kind out: they tell of nothing that it takes")
# By kind of entry the request, what it needs, and what it may have.
ROSTER_ENTRIES: Mapping[str, tuple[Callable[..., Command], tuple[str, ...], tuple[str, ...]]] = {
    "appraisal": (RecordAppraisalResult, ("year", "grade"), ()),
    "post": (
        TakeOverPost,
        ("post_kind", "post_level", "from_on"),
        ("organisation_code", "organisation_name", "until_on"),
    ),
    "post_level": (TakeOverRank, ("rank_code", "from_on"), ("until_on",)),
    "rank": (TakeOverRank, ("rank_code", "from_on"), ("until_on",)),
    "cv": (TakeOverCareerLine, ("text", "from_on"), ("until_on",)),
}
RowCheck = Callable[[list[str], Values, Notes], None]


@dataclass(slots=True)
class MappedRow:
    """What one row asks for. `missing` are registrations that go before, where they are not there yet."""

    line: int
    commands: list[Command] = field(default_factory=list)
    missing: list[Command] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    is_refused: bool = False


class Mapper:
    """Everything about a profile and a header that can be worked out before the first row."""

    def __init__(self, profile: Profile, header: list[str], *, correlation_id: str, new_id: NewId) -> None:
        places = place_columns(profile, header)
        instants = InstantParser(profile.time.formats, profile.time.zone_info)
        compiler = Compiler(profile, places, instants)
        target = TARGETS[profile.target]
        self._fields: list[tuple[str, Field]] = [
            (name, compiler.compile(name, rule, target.fields[name]))
            for name, rule in profile.fields.items()
            if not rule.optional or rule.column in places
        ]
        self._key = target.key
        self._registrar = None
        if profile.registration is not None:
            self._registrar = Registrar(profile.registration, compiler, correlation_id=correlation_id, new_id=new_id)
        self._is_left_out = [_make_choice(choice, compiler) for choice in profile.left_out]
        self._is_confidential = _make_choice(profile.confidential, compiler) if profile.confidential else None
        self._checks = [_make_check(check, compiler.column_text(check.column)) for check in profile.checks]
        self._build = _Builder(profile.source_name, correlation_id, new_id).choose(profile.target)
        self._seen = SeenRecords()
        self._origin = (profile.source_name, correlation_id)
        # Of contacts there are millions, and nothing of their rows hangs on other cells than a field's own.
        self.may_be_plain = profile.target == "contact" and not profile.left_out and profile.confidential is None

    def map(self, line: int, cells: list[str]) -> MappedRow:
        if self._is_left_out and any(applies(cells) for applies in self._is_left_out):
            return MappedRow(line, findings=[replace(LEFT_OUT, line=line)])
        notes: Notes = []
        values: Values = {name: field.read(cells, notes) for name, field in self._fields}
        row = MappedRow(line)
        if not notes or not any(note.severity == "error" for note in notes):
            for check in self._checks:
                check(cells, values, notes)
            if self._is_confidential is not None and self._is_confidential(cells):
                _withhold_citizen(values, notes)
            if self._is_new(values, notes):
                if self._registrar is not None:
                    self._registrar.assign(cells, values, row.missing, notes)
                row.commands = self._build(values, notes)
        if notes:
            row.is_refused = any(note.severity == "error" for note in notes)
            row.findings = [replace(note, line=line) for note in notes]
        return row

    def map_plain(self, lines: Sequence[int], rows: Sequence[list[str]]) -> tuple[PlainRows, list[MappedRow]]:
        """Map rows of contacts column by column, and those one by one that there is anything to say about."""
        remarked: set[int] = set()
        texts = list(zip(*rows, strict=True))
        read = {name: field.read_column(rows, texts, remarked) for name, field in self._fields}
        for name in CITIZEN_FIELDS.keys() & read.keys():
            remarked.update(position for position, value in enumerate(read[name]) if value is not None)
        nothing = [None] * len(rows)
        keys = zip(*(read.get(name, nothing) for name in self._key), strict=True)
        others: dict[int, MappedRow] = {}
        for position, (key, content) in enumerate(zip(keys, zip(*read.values(), strict=True), strict=True)):
            if position in remarked or self._seen.add(key, content) is not None:
                others[position] = self.map(lines[position], rows[position])
        plain = PlainRows(
            *self._origin, list(lines), {name: values for name, values in read.items() if name not in CITIZEN_FIELDS}
        )
        if others:
            plain = plain.take([position for position in range(len(rows)) if position not in others])
        return plain, list(others.values())

    def _is_new(self, values: Values, notes: Notes) -> bool:
        """What a file names twice counts once, as its first row has it: so a second import changes nothing."""
        same = self._seen.add(tuple(values.get(name) for name in self._key), tuple(values.values()))
        if same is False:
            notes.append(
                flag(0, "named-twice", "an earlier row has the same number and other content; that one counts")
            )
        return same is None


def place_columns(profile: Profile, header: list[str]) -> dict[str, int]:
    """Find the profile's columns in the header. Raises FileRefused, naming what is missing and what was found."""
    found, missing, twice = profile.place_columns(header)
    if missing:
        detail = (
            f"the header lacks {', '.join(missing)}; found {', '.join(found) or 'none of the columns'}"
            f" and {len(header) - len(found)} other columns"
        )
        raise FileRefused("wrong-header", detail)
    if twice:
        raise FileRefused("wrong-header", f"the header names {', '.join(twice)} more than once")
    return found


@dataclass(frozen=True, slots=True)
class _Builder:
    source: str
    correlation_id: str
    new_id: NewId

    def choose(self, target: str) -> Callable[[Values, Notes], list[Command]]:
        return {
            "organisation": self._organisation,
            "cadre": self._cadre,
            "duty": self._duty,
            "category": self._category,
            "channel": self._amending(PublishChannel),
            "population_group": self._population_group,
            "place_population": self._place_population,
            "contact_point": self._amending(RegisterPoint),
            "contact_household": self._contact_household,
            "liaison_assignment": self._amending(AssignLiaison),
            "contact": self._contact,
            "issue": self._issue,
            "rating": self._rating,
            "match": self._match,
            "roster": self._roster,
        }[target]

    def _organisation(self, values: Values, notes: Notes) -> list[Command]:
        """What the file has no column for, it says nothing of; an end is a second thing that a row may tell."""
        ended_on, successor_code = values.pop("ended_on", None), values.pop("successor_code", None)
        untold = frozenset({"division_code", "credit_code"} - values.keys())
        commands: list[Command] = [
            RegisterOrganisation(id=self.new_id(), correlation_id=self.correlation_id, untold=untold, **values)
        ]
        if ended_on is not None:
            end = {"code": values["code"], "ended_on": ended_on, "successor_code": successor_code}
            commands.append(EndOrganisation(id=self.new_id(), correlation_id=self.correlation_id, **end))
        elif successor_code is not None:
            notes.append(error(0, "missing-required", "a successor without the day of the end", "ended_on"))
        return commands

    def _amending(self, kind: Callable[..., Command]) -> Callable[[Values, Notes], list[Command]]:
        def build(values: Values, _: Notes) -> list[Command]:
            return [kind(id=self.new_id(), correlation_id=self.correlation_id, amend=True, **values)]

        return build

    def _category(self, values: Values, _: Notes) -> list[Command]:
        values["is_retired"] = bool(values.get("is_retired"))
        return [DefineCategory(id=self.new_id(), correlation_id=self.correlation_id, **values)]

    def _population_group(self, values: Values, _: Notes) -> list[Command]:
        values["is_retired"] = bool(values.get("is_retired"))
        return [DefinePopulationGroup(id=self.new_id(), correlation_id=self.correlation_id, **values)]

    def _place_population(self, values: Values, _: Notes) -> list[Command]:
        return [RecordPopulation(id=self.new_id(), correlation_id=self.correlation_id, **values)]

    def _contact_household(self, values: Values, notes: Notes) -> list[Command]:
        _gather_citizen(values, notes)
        head = values.pop("citizen", None)
        return [
            RegisterHousehold(id=self.new_id(), correlation_id=self.correlation_id, amend=True, head=head, **values)
        ]

    def _cadre(self, values: Values, _: Notes) -> list[Command]:
        name = values.pop("name")
        number = values["staff_number"]
        post = RecordPost(id=self.new_id(), correlation_id=self.correlation_id, amend=True, **values)
        cadre = RegisterCadre(id=self.new_id(), correlation_id=self.correlation_id, staff_number=number, name=name)
        return [post, cadre]

    def _duty(self, values: Values, _: Notes) -> list[Command]:
        if values.get("unit") is None:
            values["unit"] = "count"
        return [DefineDuty(id=self.new_id(), correlation_id=self.correlation_id, amend=True, **values)]

    def _contact(self, values: Values, notes: Notes) -> list[Command]:
        _gather_citizen(values, notes)
        return [RecordContact(id=self.new_id(), correlation_id=self.correlation_id, source=self.source, **values)]

    def _issue(self, values: Values, notes: Notes) -> list[Command]:
        if values.get("urgency") is None:
            values["urgency"] = "normal"
        _settle_closure(values, notes)
        _gather_citizen(values, notes)
        return [ReceiveIssue(id=self.new_id(), correlation_id=self.correlation_id, source=self.source, **values)]

    def _rating(self, values: Values, notes: Notes) -> list[Command]:
        if (values.get("issue_source_number") is None) == (values.get("contact_source_number") is None):
            notes.append(error(0, "rates-one-thing", "a rating names either an issue or a contact, and not both"))
            return []
        return [SubmitRating(id=self.new_id(), correlation_id=self.correlation_id, source=self.source, **values)]

    def _match(self, values: Values, _: Notes) -> list[Command]:
        return [MatchPerson(id=self.new_id(), correlation_id=self.correlation_id, **values)]

    def _roster(self, values: Values, notes: Notes) -> list[Command]:
        """Of all fields those that the kind of the entry has; one that lacks what it needs is refused."""
        entry = values["entry"]
        kind, needed, wanted = ROSTER_ENTRIES[entry]
        for name in needed:
            if values.get(name) is None:
                notes.append(error(0, "missing-required", f"an entry of this kind needs {name}", name))
                return []
        if entry == "post" and values.get("organisation_code") is None and values.get("organisation_name") is None:
            notes.append(error(0, "missing-required", "a post needs an organisation", "organisation_code"))
            return []
        told = {name: values.get(name) for name in (*PERSON_FIELDS, *needed, *wanted)}
        if kind is TakeOverRank:
            told["ladder"] = entry
        return [kind(id=self.new_id(), correlation_id=self.correlation_id, **told)]


def _gather_citizen(values: Values, notes: Notes) -> None:
    """One citizen of what the row tells. A phone or number that cannot be one is left out, and the record goes in."""
    told = {name: values.pop(name) for name in CITIZEN_FIELDS if name in values}
    if not told:
        return
    given = {name.removeprefix(CITIZEN_PREFIX): value for name, value in told.items() if value is not None}
    for name in ("id_number", "phone"):
        if name in given and not _can_be(name, given):
            left_out = "no citizen can have this, and it was left out"
            notes.append(flag(0, "not-of-a-citizen", left_out, f"{CITIZEN_PREFIX}{name}"))
            del given[name]
    if "id_number" not in given:
        given.pop("id_kind", None)
    if given.keys() & {"name", "phone", "id_number"}:
        values["citizen"] = describe_citizen(**given, today=None)


def _can_be(name: str, given: dict[str, Any]) -> bool:
    kind = {"id_kind": given["id_kind"]} if name == "id_number" and "id_kind" in given else {}
    try:
        describe_citizen(**{name: given[name]}, **kind, today=None)
    except NotValid:
        return False
    return True


def _settle_closure(values: Values, notes: Notes) -> None:
    """Only a closing time closes an issue; an outcome or a reply without one is kept out."""
    if values.get("closed_at") is None:
        if values.get("reply") is not None and values.get("replied_at") is None:
            values["reply"] = None
            notes.append(flag(0, "reply-without-closing", "a closing text stands in an issue that has no closing time"))
        values["outcome"] = None
    elif values.get("outcome") is None:
        notes.append(error(0, "missing-required", "a closed issue needs an outcome", "outcome"))


def _make_choice(choice: Choice, compiler: Compiler) -> Callable[[list[str]], bool]:
    read = compiler.column_text(choice.column)
    values = frozenset(value.casefold() for value in choice.values)

    def applies(cells: list[str]) -> bool:
        text = read(cells)
        return choice.empty if text is None else text.casefold() in values

    return applies


def _withhold_citizen(values: Values, notes: Notes) -> None:
    """Where the citizen asked to stay unknown, the other system keeps the name, and ours never has it."""
    given = [name for name in CITIZEN_FIELDS if values.pop(name, None) is not None]
    if given:
        notes.append(flag(0, "kept-confidential", "the citizen asked to stay unknown, and was left out"))


def _make_check(check: Check, read: Origin) -> RowCheck:
    return _presence(check, read) if check.rule == "presence" else _timeliness(check, read)


def _presence(check: Check, read: Origin) -> RowCheck:
    present, absent = frozenset(check.present), frozenset(check.absent)
    odd = flag(0, "status-contradicts-dates", f"the status and {check.field} contradict one another", check.column)

    def judge(cells: list[str], values: Values, notes: Notes) -> None:
        text = read(cells)
        expected = absent if values.get(check.field) is not None else present
        if text in expected:
            notes.append(odd)

    return judge


def _timeliness(check: Check, read: Origin) -> RowCheck:
    on_time, late = frozenset(check.on_time), frozenset(check.late)
    odd = flag(0, "timeliness-contradicts-dates", "the dates say the contrary of on time or late", check.column)
    unsaid = flag(0, "timeliness-missing", "the dates say whether it was on time, the column does not", check.column)

    def judge(cells: list[str], values: Values, notes: Notes) -> None:
        closed_at, due_at = values.get(check.field), values.get("due_at")
        text = read(cells)
        if closed_at is None or due_at is None:
            if text in late and due_at is None:
                notes.append(odd)
        elif text is None:
            notes.append(unsaid)
        elif text in (late if closed_at <= due_at else on_time):
            notes.append(odd)

    return judge
