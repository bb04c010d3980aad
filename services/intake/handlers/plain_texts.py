"""What is told of many contacts at once: their instants as texts, the digests of their contents, and their events.

Docs/decisions/0114-entered-by-columns.md.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from services.intake.domain.contacts import DIGESTED
from services.intake.domain.times import digest_plain
from services.intake.importing.plain import PlainRows
from services.intake.storage.contacts import FOUND_ON_ENTRY
from shared.contracts.intake.contacts import ContactRecorded

# What of an event recurs from contact to contact.
CONTENTS = ("kind", "duration_minutes", "population_group", "people_count", "place_code")
Instants = Mapping[str, Sequence[str | None]]
NO_ID = UUID(int=0)
NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class _Cut(NamedTuple):
    """An event without its opening brace, cut where the contact's id and times stand."""

    before_id: str
    before_occurred: str
    before_recorded: str
    rest: str


def tell_instants(rows: PlainRows) -> Instants:
    """As isoformat() has them in UTC, where the mapping puts them; JSON writes them ten times as fast."""
    told: Instants = orjson.loads(orjson.dumps({name: rows.column(name) for name in ("occurred_at", "recorded_at")}))
    return told


def digest_rows(rows: PlainRows, instants: Instants) -> list[bytes]:
    """As digest_contact() does each."""
    told = zip(*(instants.get(name) or rows.column(name) for name in DIGESTED), strict=True)
    return [digest_plain(list(contents)) for contents in told]


def write_events(rows: PlainRows, ids: Sequence[str], instants: Instants, *, now: datetime) -> list[str]:
    """Each without the brace that it opens with: before it come the ids that are only found on entry.

    The contract's own class is dumped once for all that differ in id and times alone. `ids` are told by their digits.
    """
    now_text = now.astimezone(UTC).isoformat()
    kept: dict[tuple[Any, ...], _Cut] = {}
    contents = zip(*(rows.column(name) for name in CONTENTS), strict=True)
    events = []
    for digits, occurred, recorded, content in zip(
        ids, instants["occurred_at"], instants["recorded_at"], contents, strict=True
    ):
        cut = kept.get(content)
        if cut is None:
            cut = kept[content] = _cut(dict(zip(CONTENTS, content, strict=True)))
        before_id, before_occurred, before_recorded, rest = cut
        events.append(
            f"{before_id}{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
            f"{before_occurred}{(occurred or now_text)[:-6]}{before_recorded}{(recorded or now_text)[:-6]}{rest}"
        )
    return events


def _cut(contents: dict[str, Any]) -> _Cut:
    """What a file may say comes after id and times, so that none of it is taken for them."""
    event = ContactRecorded(contact_id=NO_ID, cadre_id=NO_ID, occurred_at=NO_TIME, recorded_at=NO_TIME, **contents)
    text = event.model_dump_json(exclude_none=True, exclude=set(FOUND_ON_ENTRY))
    before_id, _, text = text.removeprefix("{").partition(str(NO_ID))
    before_occurred, _, text = text.partition(NO_TIME.isoformat()[:-6])
    before_recorded, _, rest = text.partition(NO_TIME.isoformat()[:-6])
    return _Cut(before_id, before_occurred, before_recorded, rest)
