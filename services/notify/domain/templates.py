"""Wordings that an administrator puts in the place of those shipped."""

from dataclasses import dataclass
from datetime import datetime

from services.notify.domain.messages import Language
from shared.errors import Conflict, NotFound


class UnknownTemplate(NotFound):
    code = "unknown-template"


class OwnTemplate(Conflict):
    """Whoever wrote it does not put it into force, under whichever account."""

    code = "own-template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One version. `version` 0 is what is shipped, and never lies in the database."""

    topic: str
    language: Language
    version: int
    subject: str
    text: str
    is_active: bool
    written_at: datetime | None
    activated_at: datetime | None
