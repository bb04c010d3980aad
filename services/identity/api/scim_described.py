"""What the SCIM door takes and answers with, as the OpenAPI document tells it. RFC 7643 and 7644 have the last word."""

from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import Field

from services.identity.roster.models import MOST_RESULTS, Group, User
from services.identity.roster.shaping import LONGEST_TEXT, MOST_VALUES
from shared.answers import REFUSALS, Answers, Problem, Shown, header
from shared.edge import PLAIN_TEXT
from shared.openapi import PROBLEM, REFERENCE

MEDIA_TYPE: Final = "application/scim+json"
Item = TypeVar("Item")
Description = dict[str, Any]


class ScimMeta(Shown):
    resourceType: str  # noqa: N815 - as RFC 7643 spells it, here and below
    created: datetime | None = None
    lastModified: datetime | None = None  # noqa: N815
    location: str
    version: str | None = None


class ScimName(Shown):
    formatted: str | None = None
    familyName: str | None = None  # noqa: N815
    givenName: str | None = None  # noqa: N815


class ScimEmail(Shown):
    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class ScimReference(Shown):
    value: str | None = None
    ref: Annotated[str | None, Field(alias="$ref")] = None
    display: str | None = None
    type: str | None = None


class ScimEnterprise(Shown):
    employeeNumber: str | None = None  # noqa: N815
    organization: str | None = None
    department: str | None = None


class ScimGranting(Shown):
    role: str | None = None
    organisationCode: str | None = None  # noqa: N815


class ScimUser(Shown):
    """What has no value is left out; with `attributes` or `excludedAttributes`, more of it."""

    schemas: list[str]
    id: str
    externalId: str | None = None  # noqa: N815
    meta: ScimMeta | None = None
    userName: str | None = None  # noqa: N815
    name: ScimName | None = None
    displayName: str | None = None  # noqa: N815
    title: str | None = None
    active: bool | None = None
    emails: list[ScimEmail] | None = None
    groups: list[ScimReference] | None = None
    enterprise: Annotated[
        ScimEnterprise | None, Field(alias="urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")
    ] = None


class ScimGroup(Shown):
    """What has no value is left out; with `attributes` or `excludedAttributes`, more of it."""

    schemas: list[str]
    id: str
    externalId: str | None = None  # noqa: N815
    meta: ScimMeta | None = None
    displayName: str | None = None  # noqa: N815
    members: list[ScimReference] | None = None
    granting: Annotated[ScimGranting | None, Field(alias="urn:lianxin:params:scim:schemas:extension:2.0:Group")] = None


class ScimSupport(Shown):
    supported: bool
    maxOperations: int | None = None  # noqa: N815
    maxPayloadSize: int | None = None  # noqa: N815
    maxResults: int | None = None  # noqa: N815


class ScimAuthenticationScheme(Shown):
    type: str
    name: str
    description: str
    specUri: str | None = None  # noqa: N815
    primary: bool | None = None


class ScimConfiguration(Shown):
    schemas: list[str]
    meta: ScimMeta
    documentationUri: str  # noqa: N815
    patch: ScimSupport
    bulk: ScimSupport
    filter: ScimSupport
    changePassword: ScimSupport  # noqa: N815
    sort: ScimSupport
    etag: ScimSupport
    authenticationSchemes: list[ScimAuthenticationScheme]  # noqa: N815


class ScimExtension(Shown):
    named: Annotated[str, Field(alias="schema")]
    required: bool


class ScimResourceType(Shown):
    schemas: list[str]
    id: str
    name: str
    description: str | None = None
    endpoint: str
    named: Annotated[str, Field(alias="schema")]
    schemaExtensions: list[ScimExtension]  # noqa: N815
    meta: ScimMeta | None = None


class ScimAttribute(Shown):
    name: str
    type: str
    multiValued: bool  # noqa: N815
    description: str | None = None
    required: bool
    caseExact: bool | None = None  # noqa: N815
    mutability: str
    returned: str
    uniqueness: str | None = None
    canonicalValues: list[str] | None = None  # noqa: N815
    referenceTypes: list[str] | None = None  # noqa: N815
    subAttributes: list["ScimAttribute"] | None = None  # noqa: N815


class ScimSchema(Shown):
    schemas: list[str]
    id: str
    name: str
    description: str | None = None
    attributes: list[ScimAttribute]
    meta: ScimMeta | None = None


class ScimList(Shown, Generic[Item]):
    """A page of what was found. Without anything on it there are no `Resources`."""

    schemas: list[str]
    totalResults: int  # noqa: N815
    startIndex: int  # noqa: N815
    itemsPerPage: Annotated[int, Field(ge=0, le=MOST_RESULTS)]  # noqa: N815
    Resources: list[Item] | None = None


class ScimError(Shown):
    """A refusal as RFC 7644 writes it; `scimType` says more of a request that does not fit."""

    schemas: list[str]
    status: str
    scimType: str | None = None  # noqa: N815
    detail: str | None = None


_PROBLEM: Final = {PROBLEM: {"schema": {"$ref": REFERENCE + Problem.__name__}}}
_EITHER: Final = (400, 503)  # what the guard before all doors refuses is told as everywhere


def refuses(*statuses: int, **because: str) -> Answers:
    """Refusals in SCIM's words; `_400="..."` in words of its own."""
    told = {status: REFUSALS[status] for status in statuses}
    told |= {int(name.lstrip("_")): text for name, text in because.items()}
    return {
        status: {"model": ScimError, "description": text} | ({"content": _PROBLEM} if status in _EITHER else {})
        for status, text in told.items()
    }


EVERYWHERE: Final[Answers] = {
    **refuses(401, 403, 503, _400="It does not fit, and scimType says how."),
    429: {"description": REFUSALS[429]},
}
# RFC 7644 has weak tags, since what is shown depends on the attributes that were asked for.
RESOURCE_HEADERS: Final[Description] = {
    "ETag": {
        "description": "The version of the resource, to be sent back in If-None-Match or If-Match.",
        "required": True,
        "schema": {"type": "string", "pattern": '^W/"[0-9]+"$'},
    },
    "Location": header("Location"),
}


def takes(schema: Description) -> Description:
    """The `openapi_extra` of a route with a body. A body is read as JSON under either name."""
    content = {MEDIA_TYPE: {"schema": schema}, "application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def _object(*required: str, **properties: Description) -> Description:
    return {"type": "object", "properties": properties, "required": list(required)}


_TEXT: Final[Description] = {"type": ["string", "null"]}
_BOUNDS: Final[Description] = {"minLength": 1, "maxLength": LONGEST_TEXT, **PLAIN_TEXT}
_KEPT: Final[Description] = {**_TEXT, **_BOUNDS}
_NAME: Final[Description] = {"type": "string", **_BOUNDS}


def _named(schema: str) -> Description:
    return {"type": "array", "items": {"type": "string"}, "minItems": 1, "contains": {"const": schema}}


def _in_any_case(*words: str) -> Description:
    spelt = (
        "".join(f"[{letter.upper()}{letter}]" if letter.isalpha() else letter for letter in word) for word in words
    )
    return {"type": "string", "pattern": f"^({'|'.join(spelt)})$"}


USER: Final = _object(
    "schemas",
    "userName",
    schemas=_named(str(User.__schema__)),
    userName=_NAME,
    displayName=_KEPT,
    title=_KEPT,
    externalId=_KEPT,
    active={
        "description": 'A boolean. What other systems write for one is understood: "True", "False".',
        "anyOf": [
            {"type": ["boolean", "null"]},
            {"enum": [0, 1]},
            _in_any_case("true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0"),
        ],
    },
)
GROUP: Final = _object(
    "schemas",
    "displayName",
    schemas=_named(str(Group.__schema__)),
    displayName=_NAME,
    externalId=_KEPT,
    members={
        "type": ["array", "null"],
        "items": _object("value", value={"type": "string", "format": "uuid"}),
        "maxItems": MOST_VALUES,
    },
)
PATCH: Final = _object(
    "schemas",
    "Operations",
    schemas=_named("urn:ietf:params:scim:api:messages:2.0:PatchOp"),
    Operations={
        "type": "array",
        "minItems": 1,
        "items": _object("op", op=_in_any_case("add", "replace", "remove"), path=_TEXT, value={}),
    },
)
SEARCH: Final = _object(
    filter=_TEXT,
    sortBy=_TEXT,
    sortOrder={"enum": ["ascending", "descending", None]},
    startIndex={"type": ["integer", "null"]},
    count={"type": ["integer", "null"]},
)
ONE: Final[Description] = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
        for name in ("attributes", "excludedAttributes")
    ]
}
SEARCHED: Final[Description] = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": {"type": kind}}
        for name, kind in {
            "filter": "string",
            "sortBy": "string",
            "sortOrder": "string",
            "startIndex": "integer",
            "count": "integer",
        }.items()
    ]
    + ONE["parameters"]
}
