"""The fields that each kind of record has for an import profile to fill, and what may stand in them."""

from dataclasses import dataclass
from typing import Literal, get_args

from services.intake.domain.appraisals import FIRST_YEAR, LAST_YEAR, AppraisalGrade
from services.intake.domain.citizens import IdKind
from services.intake.domain.commands.channels import ChannelKind
from services.intake.domain.commands.contacts import ContactKind
from services.intake.domain.commands.duties import DutyPeriod, DutyUnit
from services.intake.domain.commands.issues import Channel, IssueOutcome, IssueType, Urgency
from services.intake.domain.commands.liaisons import PointKind
from services.intake.domain.commands.ratings import RatingMethod

Kind = Literal["code", "text", "choice", "instant", "day", "integer", "boolean"]
TargetName = Literal[
    "organisation",
    "cadre",
    "duty",
    "category",
    "channel",
    "population_group",
    "place_population",
    "contact_point",
    "contact_household",
    "liaison_assignment",
    "contact",
    "issue",
    "rating",
    "match",
    "roster",
]
RosterEntry = Literal["appraisal", "post", "post_level", "rank", "cv"]
# Each of these belongs to an organisation, and a role in that organisation may bring it. Registers belong to all, and
# ratings in a file are nobody's word but the sender's.
BY_ORGANISATION = frozenset({"contact", "issue"})
LONGEST_CODE = 64
LONGEST_TITLE = 200
LONGEST_TEXT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetField:
    kind: Kind
    required: bool = False
    longest: int = LONGEST_CODE
    choices: frozenset[str] = frozenset()
    least: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`key` names the fields that tell two records of one file apart."""

    fields: dict[str, TargetField]
    key: tuple[str, ...]


def _code(*, required: bool = False) -> TargetField:
    return TargetField(kind="code", required=required)


def _title() -> TargetField:
    return TargetField(kind="text", required=True, longest=LONGEST_TITLE)


def _text() -> TargetField:
    return TargetField(kind="text", longest=LONGEST_TEXT)


def _choice(choices: object, *, required: bool = True) -> TargetField:
    return TargetField(kind="choice", required=required, choices=frozenset(get_args(choices)))


def _integer(least: int, most: int, *, required: bool = False) -> TargetField:
    return TargetField(kind="integer", required=required, least=least, most=most)


def _instant(*, required: bool = False) -> TargetField:
    return TargetField(kind="instant", required=required)


def _day(*, required: bool = False) -> TargetField:
    return TargetField(kind="day", required=required)


# Prefixed, because what a file tells of the citizen becomes one citizen and no field of the record.
CITIZEN_PREFIX = "citizen_"
CITIZEN_FIELDS = {
    "citizen_name": TargetField(kind="text", longest=LONGEST_TITLE),
    "citizen_phone": TargetField(kind="text", longest=LONGEST_TITLE),
    "citizen_id_number": TargetField(kind="text", longest=LONGEST_TITLE),
    "citizen_id_kind": _choice(IdKind, required=False),
    "citizen_address": TargetField(kind="text", longest=LONGEST_TITLE),
}

# By what a cadre file names a person, which has no staff number of ours.
PERSON_FIELDS = {
    "person_name": TargetField(kind="text", required=True, longest=LONGEST_TITLE),
    "birth_month": TargetField(kind="code", required=True),
    "unit_name": TargetField(kind="text", required=True, longest=LONGEST_TITLE),
    "document_number": TargetField(kind="code"),
}
PERSON_KEY = ("person_name", "birth_month", "unit_name")

TARGETS: dict[str, Target] = {
    "match": Target(key=PERSON_KEY, fields={**PERSON_FIELDS, "staff_number": _code(required=True)}),
    # What an entry needs of these hangs on its kind: a result year and grade, a post its place, kind, level and days.
    "roster": Target(
        key=(
            *PERSON_KEY,
            "entry",
            "year",
            "organisation_code",
            "organisation_name",
            "post_kind",
            "rank_code",
            "from_on",
            "text",
        ),
        fields={
            **PERSON_FIELDS,
            "entry": _choice(RosterEntry),
            "year": _integer(FIRST_YEAR, LAST_YEAR),
            "grade": _choice(AppraisalGrade, required=False),
            "organisation_code": _code(),
            "organisation_name": TargetField(kind="text", longest=LONGEST_TITLE),
            "post_kind": _code(),
            "post_level": _code(),
            "rank_code": _code(),
            "from_on": _day(),
            "until_on": _day(),
            "text": _text(),
        },
    ),
    "organisation": Target(
        key=("code",),
        fields={
            "code": _code(required=True),
            "name": _title(),
            "level": _code(required=True),
            "parent_code": _code(),
            "region_type": _code(),
            "division_code": _code(),
            "credit_code": _code(),
            "from_on": _day(),
            "ended_on": _day(),
            "successor_code": _code(),
        },
    ),
    "cadre": Target(
        key=("staff_number", "organisation_code", "post_kind", "from_on"),
        fields={
            "staff_number": _code(required=True),
            "name": _title(),
            "organisation_code": _code(required=True),
            "post_kind": _code(required=True),
            "post_level": _code(required=True),
            "from_on": _day(required=True),
            "until_on": _day(),
        },
    ),
    "duty": Target(
        key=("organisation_code", "post_kind", "post_level", "contact_kind", "unit", "per", "valid_from"),
        fields={
            "organisation_code": _code(),
            "post_kind": _code(required=True),
            "post_level": _code(),
            "contact_kind": _choice(ContactKind),
            "required_count": _integer(1, 10_000, required=True),
            "unit": _choice(DutyUnit, required=False),
            "per": _choice(DutyPeriod),
            "valid_from": _day(required=True),
            "valid_until": _day(),
        },
    ),
    "category": Target(
        key=("organisation_code", "code"),
        fields={
            "organisation_code": _code(),
            "code": _code(required=True),
            "name": _title(),
            "parent_code": _code(),
            "is_retired": TargetField(kind="boolean"),
            "from_on": _day(),
        },
    ),
    "channel": Target(
        key=("organisation_code", "kind", "address", "from_on"),
        fields={
            "organisation_code": _code(required=True),
            "kind": _choice(ChannelKind),
            "address": _title(),
            "hours": TargetField(kind="text", longest=LONGEST_TITLE),
            "from_on": _day(required=True),
            "until_on": _day(),
        },
    ),
    "population_group": Target(
        key=("code",),
        fields={"code": _code(required=True), "name": _title(), "is_retired": TargetField(kind="boolean")},
    ),
    "place_population": Target(
        key=("organisation_code", "place_code", "population_group", "counted_on"),
        fields={
            "organisation_code": _code(required=True),
            "place_code": _code(required=True),
            "population_group": _code(),
            "counted_on": _day(required=True),
            "people_count": _integer(0, 2_000_000_000, required=True),
            "household_count": _integer(0, 2_000_000_000),
        },
    ),
    "contact_point": Target(
        key=("code", "from_on"),
        fields={
            "code": _code(required=True),
            "organisation_code": _code(required=True),
            "kind": _choice(PointKind),
            "name": _title(),
            "place_code": _code(),
            "from_on": _day(required=True),
            "until_on": _day(),
        },
    ),
    "contact_household": Target(
        key=("number", "from_on"),
        fields={
            "number": _code(required=True),
            "organisation_code": _code(required=True),
            "place_code": _code(required=True),
            "population_group": _code(required=True),
            "from_on": _day(required=True),
            "until_on": _day(),
            "citizen_name": CITIZEN_FIELDS["citizen_name"],
            "citizen_phone": CITIZEN_FIELDS["citizen_phone"],
            "citizen_address": CITIZEN_FIELDS["citizen_address"],
        },
    ),
    "liaison_assignment": Target(
        key=("staff_number", "household_number", "point_code", "from_on"),
        fields={
            "staff_number": _code(required=True),
            "household_number": _code(),
            "point_code": _code(),
            "from_on": _day(required=True),
            "until_on": _day(),
        },
    ),
    "contact": Target(
        key=("source_number",),
        fields={
            "source_number": _code(required=True),
            "staff_number": _code(required=True),
            "organisation_code": _code(),
            "kind": _choice(ContactKind),
            "occurred_at": _instant(required=True),
            "recorded_at": _instant(),
            "duration_minutes": _integer(0, 525_600),
            "population_group": _code(),
            "people_count": _integer(0, 100_000),
            "place_code": _code(),
            "note": _text(),
            **CITIZEN_FIELDS,
        },
    ),
    "issue": Target(
        key=("source_number",),
        fields={
            "source_number": _code(required=True),
            "type": _choice(IssueType),
            "category": _code(required=True),
            "channel": _choice(Channel),
            "urgency": _choice(Urgency, required=False),
            "title": _title(),
            "description": _text(),
            "received_at": _instant(required=True),
            "respond_by": _instant(),
            "due_at": _instant(),
            "organisation_code": _code(),
            "staff_number": _code(),
            "assigned_at": _instant(),
            "signed_at": _instant(),
            "responded_at": _instant(),
            "replied_at": _instant(),
            "return_count": _integer(0, 10_000),
            "redo_count": _integer(0, 10_000),
            "closed_at": _instant(),
            "outcome": _choice(IssueOutcome, required=False),
            "reply": _text(),
            "contact_source_number": _code(),
            "subject_staff_number": _code(),
            **CITIZEN_FIELDS,
        },
    ),
    "rating": Target(
        key=("source_number",),
        fields={
            "source_number": _code(required=True),
            "issue_source_number": _code(),
            "contact_source_number": _code(),
            "level": _integer(1, 5, required=True),
            "solved": TargetField(kind="boolean"),
            "attitude": _integer(1, 5),
            "speed": _integer(1, 5),
            "method": _choice(RatingMethod),
            "rated_at": _instant(required=True),
        },
    ),
}
