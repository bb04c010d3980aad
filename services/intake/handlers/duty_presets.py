"""Ready sets of duties from published rules: reading those that come with the suite, and taking one over."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.intake.domain.codes import POST_LEVELS
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.contacts import ContactKind
from services.intake.domain.commands.duties import DefineDuty, DutyPeriod, DutyUnit
from services.intake.handlers.duties import define_duties
from shared.database import Pool
from shared.errors import NotFound
from shared.identifiers import new_id
from shared.observability import correlation_id
from shared.reach import current

DIRECTORY = Path(__file__).parent.parent / "presets"
LEFT_OUT = "left-out"


class PresetNotFound(NotFound):
    code = "preset-not-found"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PresetDuty(_Part):
    """One rule: `row` is its place in the collection that it was taken from, `note` what it says beyond figures."""

    row: str
    post_kinds: list[str] = Field(min_length=1)
    post_level: str | None = None
    contact_kind: ContactKind
    required_count: int = Field(ge=1, le=10_000)
    unit: DutyUnit
    per: DutyPeriod
    note: str = ""


class Preset(_Part):
    name: str
    title: str
    place: str
    year: str
    reliability: Literal["high", "medium", "low"]  # of the source that the figures were read from
    source: str
    duties: list[PresetDuty] = Field(min_length=1)


class LeftOut(_Part):
    """A published rule that no duty can be made of, and why."""

    row: str
    place: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetRequest:
    name: str
    valid_from: date
    organisation_code: str | None = None
    valid_until: date | None = None


@cache
def list_presets() -> tuple[Preset, ...]:
    files = sorted(file for file in DIRECTORY.glob("*.toml") if file.stem != LEFT_OUT)
    return tuple(Preset.model_validate(tomllib.loads(file.read_text("utf-8"))) for file in files)


@cache
def list_left_out() -> tuple[LeftOut, ...]:
    rows = tomllib.loads((DIRECTORY / f"{LEFT_OUT}.toml").read_text("utf-8"))["rows"]
    return tuple(LeftOut.model_validate(row) for row in rows)


def find_preset(name: str) -> Preset:
    """Raises PresetNotFound."""
    for preset in list_presets():
        if preset.name == name:
            return preset
    raise PresetNotFound("there is no such preset")


def load_preset(pool: Pool, asked: PresetRequest, *, now: datetime) -> list[tuple[DefineDuty, Outcome]]:
    """Define the duties of a preset for a place. The same again changes nothing. Raises PresetNotFound."""
    commands = list(_commands(find_preset(asked.name), asked))
    return list(zip(commands, define_duties(pool, commands, now=now), strict=True))


def _commands(preset: Preset, asked: PresetRequest) -> Sequence[DefineDuty]:
    return [
        DefineDuty(
            id=new_id(),
            correlation_id=correlation_id(),
            reach=current(),
            organisation_code=asked.organisation_code,
            post_kind=post_kind,
            post_level=duty.post_level,
            contact_kind=duty.contact_kind,
            required_count=duty.required_count,
            unit=duty.unit,
            per=duty.per,
            valid_from=asked.valid_from,
            valid_until=asked.valid_until,
            amend=True,
        )
        for duty in preset.duties
        for post_kind in duty.post_kinds
    ]


def check_presets() -> None:
    """Raises ValueError for a preset that names a level of no list."""
    for preset in list_presets():
        for duty in preset.duties:
            if duty.post_level is not None and duty.post_level not in POST_LEVELS:
                raise ValueError(f"{preset.name}: {duty.row} names an unknown level")
