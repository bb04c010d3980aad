"""All words on intake's pages, by language."""

from typing import Any, Final

from services.intake.web.texts import checking, citizens
from services.intake.web.texts.chinese import ZH
from services.intake.web.texts.english import EN
from shared.frame import words
from shared.site import Language

TEXTS: Final[dict[Language, dict[str, Any]]] = {
    "zh": words.join(words.ZH, ZH, checking.ZH, citizens.ZH),
    "en": words.join(words.EN, EN, checking.EN, citizens.EN),
}
