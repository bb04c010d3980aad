"""What a message says, and in which language."""

from dataclasses import dataclass
from typing import Literal

from shared.errors import NotFound

Language = Literal["zh", "en"]


class UnknownMessage(NotFound):
    code = "unknown-message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    subject: str
    text_body: str
    html_body: str
