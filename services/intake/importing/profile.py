"""Import profiles: data files that say how to read another system's export. A profile is checked before any row is."""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from services.intake.importing.instants import ISO, BadFormat, InstantParser, day_parser
from services.intake.importing.patterns import BadPattern, compile_pattern
from services.intake.importing.reader import ENCODINGS
from services.intake.importing.targets import BY_ORGANISATION, TARGETS, TargetField, TargetName
from shared.errors import NotFound, Rejected

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
BUILT_IN = Path(__file__).parent.parent / "profiles"
LARGEST_PROFILE = 1024 * 1024
CHINA = "Asia/Shanghai"
EXPORT_MARK = "export_mark"  # the last column of our own exports says whose they are
SHEET_TIMES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
SHEET_DAYS = ("%Y-%m-%d 00:00:00", "%Y-%m-%d")
Code = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Column = Annotated[str, Field(min_length=1, max_length=200)]


class ProfileUnknown(NotFound):
    code = "unknown-profile"


class ProfileRefused(Rejected):
    """The profile itself is wrong; the detail names the key."""

    code = "bad-profile"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Title(Part):
    zh: Text
    en: Text


class Header(Part):
    """What else a column may be called, capitals, blanks and signs aside; and whether a file may lack it."""

    also: list[Column] = []
    optional: bool = False


class File(Part):
    """`table` is CSV or a workbook, which the content decides; the others are cadre files."""

    format: Literal["table", "lrmx", "lrm", "civil-servants"] = "table"
    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    null_texts: list[str] = [""]
    is_shielded: bool = (
        False  # an apostrophe stands before what a spreadsheet would take for a formula: our own exports
    )
    ignored: dict[Column, Text] = {}  # columns that are known and not used, each with the reason
    sheet: Annotated[str, Field(min_length=1, max_length=31)] | None = None  # of a workbook that has several

    @field_validator("encoding")
    @classmethod
    def _is_readable(cls, name: str) -> str:
        if name not in ENCODINGS:
            raise ValueError(f"must be one of {', '.join(ENCODINGS)}")
        return name

    @field_validator("delimiter")
    @classmethod
    def _can_delimit(cls, delimiter: str) -> str:
        if delimiter not in ",;|\t":
            raise ValueError("must be a comma, a semicolon, a bar or a tab")
        return delimiter


class Time(Part):
    zone: str | None = None
    formats: list[str] = [ISO]
    day_formats: list[str] = [ISO]

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        try:
            InstantParser(self.formats, self.zone_info)
            day_parser(self.day_formats)
        except (ZoneInfoNotFoundError, OSError):
            raise ValueError("zone: is no time zone of the IANA database") from None
        except BadFormat as problem:
            raise ValueError(str(problem)) from None
        return self

    @property
    def zone_info(self) -> ZoneInfo | None:
        return None if self.zone is None else ZoneInfo(self.zone)


class Pattern(Part):
    match: str
    value: str

    @field_validator("match")
    @classmethod
    def _is_bounded(cls, text: str) -> str:
        try:
            compile_pattern(text)
        except BadPattern as problem:
            raise ValueError(str(problem)) from None
        return text


class FieldRule(Part):
    """Where a field's text comes from (`column`, `combine`, `first_of` or `constant`), and what becomes of it."""

    column: Column | None = None
    combine: list[Column] = []
    first_of: list[Column] = []  # the first of these that holds anything
    separator: str = " "
    constant: str | None = None
    required: bool = False
    optional: bool = False  # the column may be absent: then the file says nothing of the field
    codes: dict[str, str] = {}
    patterns: list[Pattern] = []
    default: str | None = None  # for a text that neither codes nor patterns know
    empty: str | None = None  # for an empty cell
    make_code: bool = False
    shorten: bool = False  # cut a text that is too long without a word: the whole of it stands elsewhere
    prefix: str = ""

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        origins = (self.column is not None, bool(self.combine), bool(self.first_of), self.constant is not None)
        if sum(origins) != 1:
            raise ValueError("needs exactly one of column, combine, first_of and constant")
        if self.optional and (self.column is None or self.required):
            raise ValueError("optional: is for a column that may be absent, and that no row needs")
        if self.default is not None and not (self.codes or self.patterns):
            raise ValueError("default: is for texts that codes or patterns do not know; for empty cells use empty")
        return self

    @property
    def columns(self) -> list[str]:
        return [self.column] if self.column is not None else [*self.combine, *self.first_of]


class UnitRule(Part):
    """An organisation that is registered where it is missing: named by a column, or the same for every row."""

    column: Column | None = None
    code: Code | None = None
    code_prefix: Annotated[str, Field(max_length=20)] = ""
    name: Text | None = None
    names: dict[str, str] = {}
    level: Code
    region_type: Code | None = None

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if (self.column is None) != (self.code is not None and self.name is not None):
            raise ValueError("needs a column, or else both code and name")
        return self


class CadreRule(Part):
    """A cadre that is registered where it is missing, and holds a post in the last of the organisations."""

    column: Column
    staff_number_prefix: Annotated[str, Field(max_length=20)] = ""
    name_suffix: Annotated[str, Field(max_length=50)] = ""
    post_kind: Code
    post_level: Code
    from_on: date


class Registration(Part):
    organisations: list[UnitRule] = Field(min_length=1)
    cadre: CadreRule | None = None


class Check(Part):
    """A column that says something which the dates must agree with; where they do not, the row is flagged."""

    column: Column
    rule: Literal["presence", "timeliness"]
    field: str = "closed_at"
    present: list[str] = []
    absent: list[str] = []
    on_time: list[str] = []
    late: list[str] = []

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.rule == "presence" and not (self.present or self.absent):
            raise ValueError("a presence check needs present or absent")
        if self.rule == "timeliness" and not (self.on_time or self.late):
            raise ValueError("a timeliness check needs on_time or late")
        return self


class Choice(Part):
    """Rows in which a column holds one of these texts, or nothing."""

    column: Column
    values: list[str] = []
    empty: bool = False

    @model_validator(mode="after")
    def _chooses_something(self) -> Self:
        if not self.values and not self.empty:
            raise ValueError("needs values, or empty")
        return self


class Profile(Part):
    name: str
    title: Title
    target: TargetName
    source: Code | None = None
    file: File = File()
    time: Time = Time()
    fields: dict[str, FieldRule]
    registration: Registration | None = None
    checks: list[Check] = []
    headers: dict[Column, Header] = {}
    left_out: list[Choice] = []  # rows that tell of nothing, such as calls by mistake
    confidential: Choice | None = None  # rows whose citizen is not taken over

    @property
    def source_name(self) -> str:
        return self.source or self.name

    @property
    def columns(self) -> list[str]:
        """The columns that the file's header must have, each once, in the order of the profile."""
        return [column for column in self.named_columns if not self._is_optional(column)]

    @property
    def named_columns(self) -> list[str]:
        """All columns that the profile reads, those included that a file may lack."""
        names = [column for rule in self.fields.values() for column in rule.columns]
        names += [check.column for check in self.checks]
        names += [choice.column for choice in self.left_out]
        names += [self.confidential.column] if self.confidential else []
        if self.registration is not None:
            names += [unit.column for unit in self.registration.organisations if unit.column is not None]
            names += [self.registration.cadre.column] if self.registration.cadre else []
        return list(dict.fromkeys(names))

    def place_columns(self, header: list[str]) -> tuple[dict[str, int], list[str], list[str]]:
        """Find the columns in a header: where each stands, which are missing, and which stand there more than once."""
        alike: dict[str, list[int]] = {}
        for place, name in enumerate(header):
            alike.setdefault(_plain_header(name), []).append(place)
        places: dict[str, int] = {}
        missing: list[str] = []
        twice: list[str] = []
        for column in self.named_columns:
            found = [place for place, name in enumerate(header) if name == column]
            if not found and column in self.headers:
                names = dict.fromkeys(_plain_header(name) for name in (column, *self.headers[column].also))
                found = next((alike[name] for name in names if name in alike), [])
            if len(found) > 1:
                twice.append(column)
            elif found:
                places[column] = found[0]
            elif not self._is_optional(column):
                missing.append(column)
        return places, missing, twice

    def list_unread(self, header: list[str]) -> list[str]:
        """The columns of a header that nothing reads and that nobody said to be of no use."""
        places, _, _ = self.place_columns(header)
        read = set(places.values())
        known = {_plain_header(name) for name in (*self.file.ignored, EXPORT_MARK)}
        return [
            name
            for place, name in enumerate(header)
            if place not in read and name.strip() and _plain_header(name) not in known
        ]

    def _is_optional(self, column: str) -> bool:
        if column in self.headers and self.headers[column].optional:
            return True
        readers = [rule for rule in self.fields.values() if column in rule.columns]
        return bool(readers) and all(rule.optional for rule in readers)

    @property
    def is_for_everywhere(self) -> bool:
        """Whether only a role that holds everywhere may use it."""
        return self.registration is not None or self.target not in BY_ORGANISATION

    def for_sheets(self) -> Self:
        """The same for a workbook, whose cells know days and times as such and no zone."""
        time = self.time.model_copy(
            update={
                "zone": self.time.zone or CHINA,
                "formats": [*self.time.formats, *SHEET_TIMES],
                "day_formats": [*self.time.day_formats, *SHEET_DAYS],
            }
        )
        file = self.file.model_copy(update={"is_shielded": False})  # its cells know that they are texts
        return self.model_copy(update={"time": time, "file": file})

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError("may have lower-case letters, digits and hyphens only")
        return name

    @model_validator(mode="after")
    def _fits_its_target(self) -> Self:
        known = TARGETS[self.target].fields
        for name, rule in self.fields.items():
            if name not in known:
                raise ValueError(f"fields.{name}: {self.target} has no such field; it has {', '.join(known)}")
            if rule.optional and known[name].required:
                raise ValueError(f"fields.{name}.optional: {self.target} needs it")
            _check_values(name, rule, known[name])
        missing = [name for name, field in known.items() if field.required and name not in self.fields]
        if missing:
            raise ValueError(f"fields: {self.target} also needs {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _keeps_to_issues(self) -> Self:
        known = TARGETS[self.target].fields
        if (self.registration is not None or self.checks) and self.target != "issue":
            raise ValueError("registration and checks: are for issues only")
        if self.confidential is not None and self.target not in BY_ORGANISATION:
            raise ValueError("confidential: is for contacts and issues only")
        unread = [column for column in self.headers if column not in self.named_columns]
        if unread:
            raise ValueError(f"headers: {', '.join(unread)} is read by no field; call it as the fields do")
        if self.registration is not None and {"organisation_code", "staff_number"} & set(self.fields):
            raise ValueError("registration: already gives organisation_code and staff_number; map one or the other")
        for check in self.checks:
            if known.get(check.field) is None or known[check.field].kind != "instant":
                raise ValueError(f"checks.field: {check.field} is no time of {self.target}")
        return self


def _check_values(name: str, rule: FieldRule, field: TargetField) -> None:
    """Raises ValueError for a value that the profile would write and the field cannot take."""
    values = [*rule.codes.values(), *(pattern.value for pattern in rule.patterns)]
    values += [value for value in (rule.default, rule.empty, rule.constant) if value is not None]
    if field.choices:
        for value in values:
            if value not in field.choices:
                raise ValueError(f"fields.{name}: {value!r} is none of {', '.join(sorted(field.choices))}")
    if rule.make_code and field.kind != "code":
        raise ValueError(f"fields.{name}.make_code: the field is no code")
    if rule.prefix and field.kind != "code":
        raise ValueError(f"fields.{name}.prefix: the field is no code")
    if rule.shorten and field.kind != "text":
        raise ValueError(f"fields.{name}.shorten: the field is no text")
    if rule.combine and field.kind not in {"code", "text"} and not (rule.codes or rule.patterns):
        raise ValueError(f"fields.{name}.combine: gives a text or a code; any other kind needs codes or patterns")


def parse_profile(text: str) -> Profile:
    """Raises ProfileRefused, naming every key that is wrong."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ProfileRefused(f"the profile is no TOML: {problem}") from None
    try:
        return Profile.model_validate(document)
    except ValidationError as problem:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'profile'}: {_plain(fault['msg'])}"
            for fault in problem.errors(include_input=False, include_url=False)
        ]
        raise ProfileRefused("; ".join(faults)) from None


def load_profile(name: str, directories: Sequence[Path] = ()) -> Profile:
    """Find a profile by its name, in the given directories first. Raises ProfileUnknown or ProfileRefused."""
    if not NAME.fullmatch(name):
        raise ProfileUnknown("there is no such import profile")
    for directory in (*directories, BUILT_IN):
        file = directory / f"{name}.toml"
        if not file.is_file():
            continue
        if file.stat().st_size > LARGEST_PROFILE:
            raise ProfileRefused("the profile is larger than 1 MiB")
        try:
            profile = parse_profile(file.read_text("utf-8-sig"))
        except UnicodeDecodeError:
            raise ProfileRefused("the profile is no UTF-8 text") from None
        if profile.name != name:
            raise ProfileRefused(f"name: must be {name}, as the file is called")
        return profile
    raise ProfileUnknown("there is no such import profile")


def list_profiles(directories: Sequence[Path] = ()) -> list[str]:
    return sorted({file.stem for directory in (*directories, BUILT_IN) for file in directory.glob("*.toml")})


def check_profiles(directories: Sequence[Path]) -> dict[str, str]:
    """Load every profile; return those that cannot be used, by name, each with what is wrong."""
    faults = {}
    for name in list_profiles(directories):
        try:
            load_profile(name, directories)
        except (ProfileUnknown, ProfileRefused) as problem:
            faults[name] = problem.detail
    return faults


def _plain_header(name: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", name).casefold() if sign.isalnum())


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")
