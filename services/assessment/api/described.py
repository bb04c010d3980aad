"""What the routes of scores, publications and schemes answer with, as the OpenAPI document tells it.

Decimals are texts with fixed places, as everywhere: a float would change them.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from services.assessment.api.closed_periods import ShownDays
from services.assessment.api.standings import ShownPart, ShownVersion
from services.assessment.domain.scores import SubjectKind
from shared.answers import Page, Shown

Withheld = Literal["not_enough_evidence", "too_few_ratings"]
Texts = Annotated[dict[str, str], Field(description="By language: `zh`, `en`.")]
Counts = Annotated[dict[str, int], Field(description="By measure.")]


class ShownSubject(Shown):
    kind: SubjectKind
    code: str
    name: str


class ShownOrganisation(Shown):
    code: str
    name: str | None


class ShownScore(Shown):
    """A score as it stands. `withheld` says why there is no composite where there is none."""

    score_id: UUID
    subject: ShownSubject
    organisation: ShownOrganisation | None
    peer_group: str | None
    period: ShownDays
    composite: str | None
    withheld: Withheld | None
    present_weight: str
    indicators: list[ShownPart]
    scheme: ShownVersion
    as_of: datetime
    computed_at: datetime
    revision: int


class ShownIndicator(ShownPart):
    name: Texts
    description: Texts
    full_weight: str
    minimum_denominator: int
    components: Counts


class ShownScoreInFull(Shown):
    """With the indicators' own texts. Of somebody of whom nothing is known in the period there is no score to name."""

    subject: ShownSubject
    period: ShownDays
    composite: str | None
    withheld: Withheld | None
    scheme: ShownVersion
    as_of: datetime | None
    indicators: list[ShownIndicator]
    score_id: UUID | None = None
    organisation: ShownOrganisation | None = None
    peer_group: str | None = None
    present_weight: str | None = None
    computed_at: datetime | None = None
    revision: int | None = None
    correlation_id: str | None = None


class ShownEvidenceIndicator(Shown):
    key: str
    name: Texts
    description: Texts
    numerator: list[str]
    denominator: list[str]


class ShownEvent(Shown):
    event_id: UUID
    type: str
    sequence: int
    occurred_at: datetime | None
    recorded_at: datetime


class ShownFact(Shown):
    """What was counted, in what, and the events that it was made of.

    Of an issue `kind` is its category's code, and `kind_name` what its place called that on the day it came in.
    """

    fact: str
    id: UUID
    at: datetime
    organisation_code: str | None
    staff_number: str | None
    kind: str | None
    kind_name: str | None
    in_numerator: bool
    in_denominator: bool
    measures: list[str]
    events: list[ShownEvent]


class ShownDuty(Shown):
    """What a post owed in one of its units, and how much of it was done in the days it was held."""

    contact_kind: str
    required_count: int
    counted_in: str
    unit: ShownDays
    held_from: date
    held_until: date
    owed: int
    done: int
    met: int


class ShownEvidence(Page[ShownFact]):
    indicator: ShownEvidenceIndicator
    as_of: datetime
    duties: list[ShownDuty]


class ShownBand(Shown):
    """Two ends, where the answers are so nearly unanimous that the value itself would tell somebody's."""

    from_: Annotated[str | None, Field(alias="from")]
    to: str | None


class PublishedIndicator(Shown):
    key: str
    value: str | None
    band: ShownBand | None
    numerator: int | None
    denominator: int | None
    ratings_at_least: int | None
    withheld: Withheld | None
    components: Counts
    points: str | None
    weight: str | None


class DefinedIndicator(PublishedIndicator):
    """With its definition. `reads_ratings`: the answers of raters that the value depends on."""

    name: Texts
    description: Texts
    reads_ratings: list[str]
    full_weight: str
    minimum_denominator: int


class PublicationHead(Shown):
    """`content_hash` is the SHA-256 of what was published, as it was written then."""

    subject: ShownSubject
    organisation: ShownOrganisation | None
    peer_group: str | None
    period: ShownDays
    scheme: ShownVersion
    composite: str | None
    present_weight: str | None
    withheld: Withheld | None
    content_hash: str


class ShownPublication(PublicationHead):
    indicators: list[PublishedIndicator]


class ShownPublicationInFull(PublicationHead):
    indicators: list[DefinedIndicator]


class ShownScheme(Shown):
    name: str
    version: int
    title: Texts
    content_hash: str
    loaded_at: datetime


class ShownSchemeInFull(ShownScheme):
    """`definition` is the scheme word for word, as it was loaded and hashed."""

    definition: dict[str, Any]
