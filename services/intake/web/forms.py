"""Reading what a form sent, and what of a refusal is told beside it with all that was typed."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from shared.edge import check_text
from shared.errors import Conflict, NotFound, Rejected, Transient
from shared.frame.forms import ForeignForm, Form, take_form

TOLD = (Conflict, Rejected, Transient, ForeignForm)  # what the form is shown again for, with what was typed
Sent = Annotated[tuple[Form, ForeignForm | None], Depends(take_form)]


class InvalidForm(Rejected):
    code = "invalid-form"


def refuse_foreign(foreign: ForeignForm | None) -> None:
    """Raises ForeignForm."""
    if foreign is not None:
        raise foreign


def read_id(form: Form, name: str = "id") -> UUID:
    """Raises InvalidForm."""
    try:
        return UUID(form.get(name))
    except ValueError:
        raise InvalidForm("no such form") from None


def read_place(text: str) -> UUID:
    """The id in a page's address. Raises NotFound for what is none: there is no such page."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("there is no such page") from None


def read_text(form: Form, name: str, longest: int) -> str | None:
    """Raises InvalidForm. Browsers send lines with CR and LF; records have LF alone."""
    try:
        text = check_text(form.get(name).replace("\r\n", "\n").strip())
    except ValueError:
        raise InvalidForm("a text with characters that are not taken") from None
    if len(text) > longest:
        raise InvalidForm("a text is too long")
    return text or None
