"""What an installation says of its SMS gateway, in a file: where it is, how it is asked, and how it answers."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import Field, model_validator

from shared.gateways.files import BadFile, Part, read_secret

_HEADER = re.compile(r"([A-Za-z0-9-]{1,64}):[ \t]*([\x21-\x7e][\x20-\x7e]{0,4094})", re.ASCII)

Pointer = Annotated[str, Field(pattern=r"^(?:/[A-Za-z0-9_.-]{1,64}){1,8}$")]
Texts = Annotated[tuple[str, ...], Field(max_length=200)]


class Answers(Part):
    """Where the gateway's own code lies in an answer of 2xx, and what it means. Without it 2xx is success."""

    code: Pointer | None = None
    accepted: Texts = ("0",)
    refused: Texts = ()  # for good, and for this message alone; all others are tried again
    reference: Pointer | None = None


class Receipts(Part):
    """How the gateway tells afterwards what became of a message; each request bears a secret, or is signed with it."""

    secret_file: Path
    proof_header: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] = "x-signature"
    proof: Literal["hmac-sha256", "secret"] = "hmac-sha256"
    items: Pointer | None = None  # where the list of receipts lies; None: the body is one
    reference: Pointer
    state: Pointer
    delivered: Texts
    undelivered: Texts
    at: Pointer | None = None  # RFC 3339 or seconds of the epoch; None: when it came in


class Gateway(Part):
    url: Annotated[str, Field(pattern=r"^https?://[^\s]{1,2000}$")]
    header_file: Path | None = None  # one line, `Authorization: Bearer ...`
    encoding: Literal["json", "form"] = "json"
    fields: Annotated[dict[str, Any], Field(min_length=1, max_length=50)]
    per_minute: Annotated[int, Field(ge=1, le=100_000)] = 600
    timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 10
    answer: Answers = Answers()
    receipt: Receipts | None = None

    @model_validator(mode="after")
    def _says_what_to_send(self) -> Self:
        used = orjson.dumps(self.fields).decode()
        missing = sorted(name for name in ("{phone}", "{text}") if name not in used)
        if missing:
            raise ValueError(f"fields: {missing[0]} stands nowhere")
        if self.encoding == "form" and not all(isinstance(value, str) for value in self.fields.values()):
            raise ValueError("fields: a form has texts only")
        return self


def read_header(file: Path) -> tuple[str, str]:
    """The one header in a file of secrets. Raises BadFile."""
    found = _HEADER.fullmatch(read_secret(file, shortest=3))
    if found is None:
        raise BadFile(f"{file.name}: holds one header, such as Authorization: Bearer ...")
    return found[1], found[2]


def fill(template: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - as TOML has it
    """Put values in the place of `{phone}`, `{text}` and `{reference}`: in texts alone, and never twice over."""
    if isinstance(template, str):
        return re.sub(r"\{(phone|text|reference)\}", lambda found: values[found[1]], template)
    if isinstance(template, list):
        return [fill(inner, values) for inner in template]
    if isinstance(template, dict):
        return {name: fill(inner, values) for name, inner in template.items()}
    return template


def look_up(document: Any, pointer: str | None) -> Any:  # noqa: ANN401 - as JSON has it
    """What lies at a JSON pointer, or None."""
    for step in (pointer or "").split("/")[1:]:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isascii() and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


def as_text(value: Any) -> str | None:  # noqa: ANN401 - as JSON has it
    """A code as text, however the gateway writes it: 0, "0" and true alike."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None
