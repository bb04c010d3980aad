"""How notices read: from codes and times to sentences, by templates that may name a few things and do nothing else."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notify.domain.messages import Language, Rendering
from services.notify.domain.notices import CLOCKS
from shared.errors import Rejected
from shared.observability import get_logger

log = get_logger()
SHIPPED: Final = Path(__file__).parents[1] / "notices.toml"
LONGEST_TEMPLATE: Final = 1_000
LONGEST_OUTPUT: Final = 2_000
LONGEST_SUBJECT: Final = 120
LONGEST_SMS: Final = 300
MOST_NODES: Final = 200
# All that a template may be made of. There is no loop, call, filter or attribute: it ends, and reaches nothing.
PLAIN_NODES: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not,
)  # fmt: skip
SAMPLE: Final[Mapping[str, Any]] = {
    "issue": "01890a5d-ac96-7b7c-8000-000000000000",
    "unit": "示例街道",
    "link": "https://lianxin.example.org/desk/issues/01890a5d-ac96-7b7c-8000-000000000000",
    "clock": "close",
    "due": "2025-04-01T09:30:00+00:00",
    "level": 1,
    "granted": True,
    "count": 3,
    "period": "2025-03",
    "assigned": 12,
    "closed": 10,
    "missed": 1,
    "escalated": 1,
    "ends": "2025-03-31",
    "owing": 12,
    "agreement": "2025-001",
    "host": "partner.example.org",
    "because": "failing",
}


class BadTemplate(Rejected):
    """It is too long, is no template, or names or does what no template may."""

    code = "bad-template"


class UnknownTopic(Rejected):
    code = "unknown-topic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The subject and the one sentence or two of a topic, in one language."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    names: frozenset[str]
    shipped: Mapping[Language, Wording]


@lru_cache(maxsize=1)
def topics() -> Mapping[str, Topic]:
    document = tomllib.loads(SHIPPED.read_text("utf-8"))
    return {
        name: Topic(
            names=frozenset(table["names"]),
            shipped={"zh": Wording(**table["zh"]), "en": Wording(**table["en"])},
        )
        for name, table in document.items()
    }


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


def check_wording(topic: str, wording: Wording) -> None:
    """Raises UnknownTopic, BadTemplate. What passes says something of every notice of the topic, and quickly."""
    known = topics().get(topic)
    if known is None:
        raise UnknownTopic("there is no such topic")
    for source in (wording.subject, wording.text):
        _check(source, known.names)
    if "\n" in wording.subject:
        raise BadTemplate("a subject is one line")


def _check(source: str, names: frozenset[str]) -> None:
    if not source.strip() or len(source) > LONGEST_TEMPLATE:
        raise BadTemplate(f"a template has 1 to {LONGEST_TEMPLATE} characters")
    try:
        tree = _environment().parse(source)
    except (TemplateError, RecursionError):
        raise BadTemplate("it does not read as a template") from None
    found = list(tree.find_all(nodes.Node))
    if len(found) > MOST_NODES or not all(isinstance(node, PLAIN_NODES) for node in found):
        raise BadTemplate("a template holds names, texts and conditions, and nothing else")
    strange = sorted({node.name for node in found if isinstance(node, nodes.Name)} - names)
    if strange:
        raise BadTemplate(f"templates of this topic cannot name {strange[0][:40]}")


class Wordings:
    """Templates as they hold now: what is given, and else what is shipped."""

    def __init__(self, active: Mapping[tuple[str, Language], Wording], *, zone: ZoneInfo, desk_url: str | None) -> None:
        self._active = active
        self._zone = zone
        self._desk_url = desk_url.rstrip("/") if desk_url else None

    def fill(self, topic: str, language: Language, facts: Mapping[str, Any]) -> tuple[str, str, str | None]:
        """Subject, text and link of one notice."""
        values = self._values(topics()[topic].names, language, facts)
        link = values.get("link") or None
        shipped = topics()[topic].shipped[language]
        try:
            return (*_read_out(self._active.get((topic, language), shipped), values), link)
        except (TemplateError, TypeError, ValueError) as error:
            # A comparison of what cannot be compared shows with some facts only; nobody goes untold for it.
            log.warning("wording_unusable", topic=topic, language=language, error=type(error).__name__)
            return (*_read_out(shipped, values), link)

    def compose(self, language: Language, filled: Sequence[tuple[str, str, str | None]]) -> Rendering:
        """One message of one notice or of many."""
        if len(filled) == 1:
            [(subject, text, link)] = filled
            body = text if link is None else f"{text}\n{link}"
        else:
            subject = f"{len(filled)} 条工作提醒" if language == "zh" else f"{len(filled)} reminders"
            body = "\n".join(f"- {text}" + (f" {link}" if link else "") for _, text, link in filled)
        closing = (
            "本消息由连心系统自动发送，请勿回复。" if language == "zh" else "Sent by Lianxin; please do not reply."
        )
        text_body = f"{body}\n\n{closing}\n"
        html_body = "".join(f"<p>{escape(line)}</p>\n" for line in text_body.splitlines() if line)
        return Rendering(subject=f"【连心】{subject}", text_body=text_body, html_body=html_body)

    def shorten(self, language: Language, filled: Sequence[tuple[str, str, str | None]]) -> Rendering:
        """The same for a phone: no link that could be taken for a trap, and of many only how many."""
        if len(filled) == 1:
            text = filled[0][1]
        elif language == "zh":
            text = f"您有 {len(filled)} 条工作提醒，请登录连心查看。"
        else:
            text = f"You have {len(filled)} reminders. Sign in to Lianxin to read them."
        return Rendering(subject="", text_body=" ".join(text.split())[:LONGEST_SMS], html_body="")

    def _values(self, names: frozenset[str], language: Language, facts: Mapping[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = dict.fromkeys(names, "") | {name: facts[name] for name in names & facts.keys()}
        if given.get("clock"):
            given["clock"] = CLOCKS.get(str(given["clock"]), {}).get(language, str(given["clock"]))
        if given.get("due"):
            given["due"] = datetime.fromisoformat(given["due"]).astimezone(self._zone).strftime("%Y-%m-%d %H:%M")
        if "link" in names:
            issue = facts.get("issue")
            given["link"] = f"{self._desk_url}/{issue}" if self._desk_url and issue else ""
        return given


def preview(topic: str, language: Language, wording: Wording, *, zone: ZoneInfo) -> Rendering:
    """How a wording would read. Raises UnknownTopic, BadTemplate."""
    check_wording(topic, wording)
    wordings = Wordings({(topic, language): wording}, zone=zone, desk_url="https://lianxin.example.org/desk/issues")
    return wordings.compose(language, [wordings.fill(topic, language, SAMPLE)])


def _read_out(wording: Wording, values: Mapping[str, Any]) -> tuple[str, str]:
    subject, text = _fill(wording.subject, values), _fill(wording.text, values)
    return " ".join(subject.split())[:LONGEST_SUBJECT], text[:LONGEST_OUTPUT]


def _fill(source: str, values: Mapping[str, Any]) -> str:
    return _compiled(source).render(values).strip()


@lru_cache(maxsize=1_000)
def _compiled(source: str) -> Template:
    """Compiling takes a hundred times as long as filling in, and the same few texts are filled in all day."""
    return _environment().from_string(source)
