"""What the fair scheme is computed from: a cadre's records as a dossier. Times are whole seconds, shares millionths."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Final, Literal, TypeVar

MICRO: Final = 1_000_000
DAY: Final = 86_400

Outcome = Literal[
    "", "solved", "explained", "unsolved", "left_out", "excluded"
]  # excluded: by somebody else's decision
Method = Literal["callback", "app", "on_site"]
SubjectKind = Literal["issue", "contact"]
UNASSESSED: Final = frozenset({"left_out", "excluded"})  # the latter by somebody else's decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadre:
    cadre: str
    peer_group: str
    region: str
    unit: str
    deprivation: int = 0  # millionths; the higher, the harder the region
    target: int = 0  # contacts owed in the period


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Allowed times are seconds from receipt, None where nothing is due. `is_checked`: others asked the citizen, and
    `is_disowned`: who knew of no such matter. What is disowned is denied, too. `answer_recorded_at` and
    `closing_recorded_at` where a person told the time afterwards.
    """

    issue: str
    category: str
    complexity: str
    received_at: int
    channel: str = ""
    complainant: str = ""
    place: str = ""
    answered_at: int | None = None
    closed_at: int | None = None
    answer_allowed: int | None = None
    close_allowed: int | None = None
    outcome: Outcome = ""
    is_reopened: bool = False
    is_denied: bool = False
    is_checked: bool = False
    has_reply: bool | None = None
    contact: str = ""
    share: int = MICRO
    is_disowned: bool = False
    answer_recorded_at: int | None = None
    closing_recorded_at: int | None = None

    @property
    def is_contradicted(self) -> bool:
        return self.outcome == "solved" and (self.is_reopened or self.is_denied)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    rating: str
    subject_kind: SubjectKind
    subject: str
    method: Method
    level: int
    rated_at: int
    rater: str = ""
    device: str = ""
    is_public_device: bool = False
    is_complainant: bool | None = None  # None: whether the rater is the complainant, or the contact's citizen, is seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    contact: str
    kind: str
    occurred_at: int
    recorded_at: int
    duration_minutes: int | None = None
    citizen: str = ""
    is_confirmed: bool = False
    is_disowned: bool = False  # the citizen, when asked by others, knew of none


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """An issue that the cadre handed on to somebody else; when it came, and its time, are not always known."""

    issue: str
    category: str
    complexity: str
    handed_at: int
    to_cadre: str = ""
    channel: str = ""
    received_at: int | None = None
    close_allowed: int | None = None


@dataclass(slots=True, kw_only=True)
class Dossier:
    """All records of one cadre in the period."""

    cadre: Cadre
    issues: list[Issue] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The period, and until when is known what happened: what falls due later is not counted yet."""

    starts_at: int
    ends_at: int
    as_of: int
    quarter_ends: tuple[int, ...] = ()


Record = TypeVar("Record", Cadre, Issue, Rating, Contact, Handover)
KINDS: Final = (Cadre, Issue, Rating, Contact, Handover)
_PLACES: Final[dict[type[Any], dict[str, int]]] = {
    kind: {one.name: place for place, one in enumerate(fields(kind))} for kind in KINDS
}
_GETTERS: Final[dict[type[Any], Any]] = {kind: attrgetter(*places) for kind, places in _PLACES.items()}
_SETTERS: Final[dict[type[Any], list[Any]]] = {
    kind: [getattr(kind, name).__set__ for name in places] for kind, places in _PLACES.items()
}


def values_of(record: Cadre | Issue | Rating | Contact | Handover) -> tuple[Any, ...]:
    """In the order of the fields."""
    values: tuple[Any, ...] = _GETTERS[type(record)](record)
    return values


def make_record(kind: type[Record], values: Sequence[Any]) -> Record:
    """From all its values in the order of the fields. It fills the slots: to make millions by name takes far longer."""
    record = object.__new__(kind)
    for set_value, value in zip(_SETTERS[kind], values, strict=True):
        set_value(record, value)
    return record


def amend(record: Record, **changes: object) -> Record:
    """As `dataclasses.replace`, for many."""
    kind = type(record)
    values = list(values_of(record))
    for name, value in changes.items():
        values[_PLACES[kind][name]] = value
    return make_record(kind, values)
