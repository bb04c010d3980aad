"""How a digest reads, in each language: from facts to a subject, a plain text and an HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notify.domain.digests import Movement, PeriodCount
from services.notify.domain.messages import Language, Rendering
from services.notify.domain.news import PeriodKind

TEMPLATES = Path(__file__).parents[1] / "templates"
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """Everything a digest says."""

    subscription_name: str
    recipient_name: str
    whole_county: bool
    composed_at: datetime
    periods: Sequence[PeriodCount]
    movements: Sequence[Movement]

    @property
    def new_count(self) -> int:
        return sum(period.new_count for period in self.periods)

    @property
    def changed_count(self) -> int:
        return sum(period.changed_count for period in self.periods)


class Renderer:
    """Templates are sandboxed and strict, although they are our own: later ones will be written by administrators."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
            undefined=StrictUndefined,
            autoescape=lambda name: bool(name and name.endswith(".html")),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters.update(
            period_zh=lambda item: period_label(item.period_kind, item.period_start, "zh"),
            period_en=lambda item: period_label(item.period_kind, item.period_start, "en"),
            points=points,
            change=change,
        )

    def render(self, facts: DigestFacts, language: Language) -> Rendering:
        values = {"digest": facts, "composed_at": facts.composed_at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M")}

        def fill(part: str) -> str:
            return self._environment.get_template(f"digest.{language}.{part}").render(values)

        return Rendering(subject=" ".join(fill("subject").split()), text_body=fill("txt"), html_body=fill("html"))


def period_label(kind: PeriodKind, start: date, language: Language) -> str:
    quarter = (start.month + 2) // 3
    if language == "zh":
        detail = {"year": "", "quarter": f"第{quarter}季度", "month": f"{start.month}月"}[kind]
        return f"{start.year}年{detail}"
    detail = {"year": "", "quarter": f"Q{quarter} ", "month": f"{MONTHS[start.month - 1]} "}[kind]
    return f"{detail}{start.year}"


def points(value: Decimal) -> str:
    return f"{value:.2f}"


def change(movement: Movement) -> str:
    """The signed difference, with the minus sign that typography wants."""
    difference = movement.composite - movement.before
    return f"{'+' if difference >= 0 else '−'}{abs(difference):.2f}"
