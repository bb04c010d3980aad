"""What operations answer with, as the OpenAPI document tells it: the shapes that all services share, and their headers.

A route says what only it can know: `responses=shows(Issue)` for what it answers with, `refuses(409)` for a refusal that
is its own. What every route of its kind may answer (401, 403, 404, 422, 429, 503 ...) is added by `shared.openapi`.
"""

from http import HTTPStatus
from typing import Annotated, Any, Final, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Answers = dict[int | str, dict[str, Any]]
Item = TypeVar("Item")


class Shown(BaseModel):
    """What the shapes of answers have in common, where none of the handlers' own types is the shape already."""

    model_config = ConfigDict(frozen=True)


class Fault(Shown):
    """One place of a request that does not fit, and how. What was sent there is never repeated."""

    kind: str
    place: list[str | int]


class Problem(Shown):
    """A problem document of RFC 9457. `type` and `title` name the problem for programs, `detail` for people.

    `detail_zh` says it in Chinese, where there is Chinese for it.
    """

    type: Annotated[str, Field(pattern=r"^urn:lianxin:problem:[a-z0-9_-]+$")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    detail_zh: str | None = None
    faults: Annotated[list[Fault], Field(max_length=20)] | None = None


class Recorded(Shown):
    """What became of a request that records something: the record, and whether this request changed anything."""

    id: UUID | None
    status: Literal["created", "changed", "unchanged"]


class Page(Shown, Generic[Item]):
    """One page of a list. Where there is a `next_cursor`, it gives the next page to the same reader."""

    items: list[Item]
    next_cursor: str | None


class Listing(Shown, Generic[Item]):
    """A list that is always given whole."""

    items: list[Item]


HEADERS: Final[dict[str, dict[str, Any]]] = {
    "ETag": {
        "description": "The version of what is shown: a strong tag, to be sent back in If-None-Match or If-Match.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[A-Za-z0-9_-]+"$'},
    },
    "Location": {
        "description": "The path under which the new record can be read.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {
        "description": "The seconds after which the same request may succeed.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {"description": "How a sender proves who it is.", "schema": {"type": "string"}},
    "X-Correlation-Id": {
        "description": "Finds the request in logs, events and the audit; the sender's own where it sent a fitting one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9-]{8,64}$"},
    },
}
REFUSALS: Final[dict[int, str]] = {
    400: "The request is not well formed: the address, the encoding or the JSON.",
    401: "Nobody we know is asking.",
    403: "The sender is known, and may not do that; or the second factor is needed anew.",
    404: "There is no such thing, or none that the sender may know of.",
    408: "The body took too long.",
    409: "The request contradicts what stands already.",
    412: "What If-Match names is not the version that stands.",
    413: "The body is too large.",
    415: "The body is of a type or an encoding that is not taken here.",
    422: "The request does not fit the documented shape, has parameters that are not in it, or says what cannot be.",
    429: "Too many requests of this kind.",
    503: "Something that is needed is away or busy. The same request may succeed later.",
}


def shows(model: object, *, status: int = 200, description: str = "", headers: tuple[str, ...] = ()) -> Answers:
    """What a route answers with: a pydantic model, a dataclass, or `Page[...]` of one."""
    answer: dict[str, Any] = {"model": model, "description": description or HTTPStatus(status).phrase}
    if headers:
        answer["headers"] = {name: header(name) for name in headers}
    return {status: answer}


def gives(status: int = 204, *, description: str = "Done.", content: dict[str, Any] | None = None) -> Answers:
    """What a route answers with that is no JSON: nothing, a page, a file."""
    return {status: {"description": description, **({"content": content} if content else {})}}


def refuses(*statuses: int, **because: str) -> Answers:
    """Refusals that only this route knows of, as `refuses(409)`, or in words of its own as `refuses(_409="...")`."""
    named = {int(name.lstrip("_")): text for name, text in because.items()}
    return {status: {"description": named.get(status) or REFUSALS[status]} for status in (*statuses, *named)}


def header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


# Routes that record something by `answer(...)`: those that make new records, and steps of records that stand.
STEPS: Final[Answers] = {
    200: {"model": Recorded, "description": "It is done and committed, or stood so already."},
    **refuses(_409="The same id or key stands with other content, or the step contradicts what stands."),
}
# Steps that a sender may take for one version of the record only: If-Match.
GUARDED: Final[Answers] = {**STEPS, **refuses(412)}
RECORDS: Final[Answers] = {
    200: {"model": Recorded, "description": "It stood already with the same content, or was brought up to date."},
    201: {
        "model": Recorded,
        "description": "It is recorded: the answer is given after the commit.",
        "headers": {"Location": header("Location")},
    },
    409: STEPS[409],
}
