"""Forms that only our own pages can send: each repeats a token that the browser holds in a cookie."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

from shared.errors import Forbidden

FORM_COOKIE: Final = "__Host-lianxin-form"
MOST_FIELDS: Final = 80
SHORTEST_TOKEN: Final = 40


class ForeignForm(Forbidden):
    """A page that is not ours made the browser send this."""

    code = "cross-site"


@dataclass(frozen=True, slots=True)
class Form:
    fields: dict[str, str]

    def get(self, name: str) -> str:
        return self.fields.get(name, "")


async def read_form(request: Request) -> Form:
    """Raises ForeignForm for a form that no page of ours gave to this browser."""
    form, foreign = await take_form(request)
    if foreign is not None:
        raise foreign
    return form


async def take_form(request: Request) -> tuple[Form, ForeignForm | None]:
    """What was typed, and what speaks against acting on it: a form whose token is over can be shown again."""
    foreign = ForeignForm("this form is not one of ours")
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        return Form({}), foreign
    form = Form({name: value for name, value in pairs if "\0" not in value})
    known = request.cookies.get(FORM_COOKIE, "")
    given = form.get("form_token").encode("utf-8", "replace")
    is_ours = len(known) >= SHORTEST_TOKEN and hmac.compare_digest(known.encode("utf-8", "replace"), given)
    return form, None if is_ours else foreign


def form_token(request: Request) -> tuple[str, bool]:
    """The token that this browser's forms repeat, and whether it is to be given to it first."""
    known = request.cookies.get(FORM_COOKIE, "")
    return (known, False) if len(known) >= SHORTEST_TOKEN else (secrets.token_urlsafe(32), True)
