"""Counts what a clerk has to fill in for a visit, in the form as it is really served."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser

from typing_extensions import override

from services.intake.web.contact_forms import first_values
from services.intake.web.rendering import TEMPLATES
from services.intake.web.texts.languages import TEXTS
from shared.site import clock

ENTRIES = {"input", "select", "textarea"}
NO_ENTRIES = {"hidden", "submit", "button"}


@dataclass(slots=True)
class Entries:
    needed: list[str] = field(default_factory=list)  # in sight at once
    required: list[str] = field(default_factory=list)  # of these, what cannot stay empty
    on_request: list[str] = field(default_factory=list)  # behind a line that opens more, for what is no plain visit


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.entries = Entries()
        self._folded = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "details":
            self._folded += 1
        if tag not in ENTRIES or given.get("type") in NO_ENTRIES:
            return
        name = given.get("name") or "?"
        if self._folded:
            self.entries.on_request.append(name)
            return
        self.entries.needed.append(name)
        if "required" in given:
            self.entries.required.append(name)

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self._folded -= 1


def count_entries(page: str) -> Entries:
    reader = _Reader()
    reader.feed(page)
    return reader.entries


def describe(entries: Entries) -> Iterable[str]:
    yield f"{len(entries.needed)} entries for a visit: {', '.join(entries.needed)}"
    yield f"{len(entries.required)} of them cannot stay empty: {', '.join(entries.required)}"
    yield f"{len(entries.on_request)} more on request: {', '.join(entries.on_request)}"


def render_empty_form() -> str:
    """The form as a clerk finds it who has just signed in."""
    now = datetime.now(UTC)
    return TEMPLATES.get_template("new_contact.html").render(
        t=TEXTS["zh"],
        language="zh-CN",
        root="./",
        here="desk/contacts/new",
        navigation=(),
        home="desk",
        account_url="",
        in_other_language="",
        form_token="",
        clock=clock,
        now=now,
        error=None,
        told=None,
        form=first_values(cadre="", place="", now=now),
        own_number=None,
        cadres=(),
        places=(),
        is_amendment=False,
        groups=TEXTS["zh"]["groups"],
        latest="",
    )
