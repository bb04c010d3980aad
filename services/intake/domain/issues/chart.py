"""The table of steps as docs/issue-life.md shows it: `python -m services.intake.domain.issues.chart` writes it anew."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from services.intake.domain.issues.exclusions import EXCLUSIONS
from services.intake.domain.issues.table import OPEN, STATES, TABLE, StepKind

BEGINNING: Final = "<!-- from here on: python -m services.intake.domain.issues.chart -->"
PAGE: Final = Path("docs/issue-life.md")
EFFECTS: Final = {"all": "the issue with its ratings", "rating": "its ratings"}


def render() -> str:
    return "\n".join([*_diagram(), "", *_table(), "", *_exclusions(), ""])


def _diagram() -> Iterator[str]:
    yield from ("```mermaid", "stateDiagram-v2", "    [*] --> received: received", "    [*] --> assigned: received")
    for kind, rule in TABLE.items():
        for before in STATES:
            if before in rule.allowed_in and rule.leads_to in STATES and _is_further(rule.leads_to, before):
                yield f"    {before} --> {rule.leads_to}: {kind}"
    for kind in ("redo_ordered", "reopened"):
        for after in STATES:
            if after in OPEN:
                yield f"    closed --> {after}: {kind}"
    yield "```"


def _is_further(after: str, before: str) -> bool:
    order = list(STATES)
    return order.index(after) > order.index(before)  # type: ignore[arg-type] # looked up in it just before


def _table() -> Iterator[str]:
    yield "| step | taken in | leads to | provided that | another person |"
    yield "| --- | --- | --- | --- | --- |"
    for kind, rule in TABLE.items():
        another = "decides" if rule.another_person else ""
        yield f"| `{kind}` | {_states_of(kind)} | {rule.leads_to} | {rule.provided} | {another} |"


def _states_of(kind: StepKind) -> str:
    rule = TABLE[kind]
    states = ", ".join(state for state in STATES if state in rule.allowed_in) or "none"
    return f"{states}; with a lead unit" if rule.needs_lead else states


def _exclusions() -> Iterator[str]:
    yield "| reason | not counted | |"
    yield "| --- | --- | --- |"
    for preset in EXCLUSIONS.values():
        yield f"| `{preset.code}` | {EFFECTS[preset.effect]} | {preset.title['en']} ({preset.title['zh']}) |"


def insert(page: str) -> str:
    """The page with what is rendered in the place of what was. Raises ValueError where the page has no such place."""
    own, found, _ = page.partition(BEGINNING)
    if not found:
        raise ValueError("the page does not say where the rendered part begins")
    return f"{own}{BEGINNING}\n\n{render()}"


def main() -> int:
    PAGE.write_text(insert(PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
