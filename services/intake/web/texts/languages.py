"""Which languages the pages speak, and which of them a reader gets."""

from typing import Any, Final, Literal

from services.intake.web.texts import checking, citizens
from services.intake.web.texts.chinese import ZH
from services.intake.web.texts.english import EN

Language = Literal["zh", "en"]
TEXTS: Final[dict[Language, dict[str, Any]]] = {
    "zh": {**ZH, **checking.ZH, **citizens.ZH, "errors": {**ZH["errors"], **checking.ZH_ERRORS, **citizens.ZH_ERRORS}},
    "en": {**EN, **checking.EN, **citizens.EN, "errors": {**EN["errors"], **checking.EN_ERRORS, **citizens.EN_ERRORS}},
}


def choose_language(chosen: str | None) -> Language:
    """Chinese, unless the reader has chosen otherwise."""
    return "en" if chosen == "en" else "zh"
