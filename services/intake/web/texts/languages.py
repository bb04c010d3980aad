"""Which languages the pages speak, and which of them a reader gets."""

from typing import Any, Final, Literal

from services.intake.web.texts import citizens
from services.intake.web.texts.chinese import ZH
from services.intake.web.texts.english import EN

Language = Literal["zh", "en"]
TEXTS: Final[dict[Language, dict[str, Any]]] = {
    "zh": {**ZH, **citizens.ZH, "errors": {**ZH["errors"], **citizens.ZH_ERRORS}},
    "en": {**EN, **citizens.EN, "errors": {**EN["errors"], **citizens.EN_ERRORS}},
}


def choose_language(chosen: str | None) -> Language:
    """Chinese, unless the reader has chosen otherwise."""
    return "en" if chosen == "en" else "zh"
