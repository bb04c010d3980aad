"""The OpenAPI document of a service: what its routes say of themselves, and what holds for every route of their kind.

Nothing that can be known from the policy, the path or the method is written at a route: it would be forgotten there.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi.routing import APIRoute
from pydantic import BaseModel

from shared.access.authenticator import SESSION_COOKIE
from shared.answers import HEADERS, REFUSALS, Fault, Problem, header
from shared.policy import POLICY, Rule

PROBLEM: Final = "application/problem+json"
REFERENCE: Final = "#/components/schemas/"
CHANGING: Final = frozenset({"post", "put", "patch", "delete"})
# Neither a key nor a version has an example: whoever sent it along would be refused, as it is not of the own request.
IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "The sender's own name for this request. Sent again with the same key it changes nothing more; a key that "
        "stood for another request is refused with 422. Keys are kept for three days."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
IF_MATCH: Final[dict[str, Any]] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the version that the change is meant for. If another one stands, nothing is changed.",
    "schema": {"type": "string"},
}
IF_NONE_MATCH: Final[dict[str, Any]] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what the reader has. Where that is what stands, the answer is 304 without a body.",
    "schema": {"type": "string"},
    "example": '"3-5d41402abc4b2a76b9719d91"',
}

Document = dict[str, Any]


def complete_document(document: Document, routes: Iterable[tuple[APIRoute, list[str]]]) -> Document:
    """Fill in what the routes do not say of themselves. `document` is what FastAPI made of them."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # what FastAPI would answer; we do not
        schemas.pop(name, None)
    schemas.update({model.__name__: _schema_of(model) for model in (Fault, Problem)})
    components["headers"] = HEADERS
    components["securitySchemes"] = _security_schemes()
    shown = [(route, POLICY[action]) for route, [action] in routes if route.include_in_schema]
    names = Counter(route.name for route, _ in shown for _ in route.methods or ())
    for route, rule in shown:
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            operation["operationId"] = _name_of(route, "" if names[route.name] == 1 else method)
            if _takes_key(route):
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            if not _takes_any_query(route):
                operation["responses"].setdefault("422", {"description": REFUSALS[422]})
            _complete_operation(operation, method.lower(), rule, schemas)
    return document


def _takes_key(route: APIRoute) -> bool:
    """Whether one of its dependencies reads the key. Routes that answer with `Recorded` take one anyway."""
    return any(getattr(each.call, "__dict__", {}).get("takes_key") for each in route.dependant.dependencies)


def _takes_any_query(route: APIRoute) -> bool:
    return any(getattr(each.call, "__dict__", {}).get("any_query") for each in route.dependant.dependencies)


def _complete_operation(operation: Document, method: str, rule: Rule, schemas: Document) -> None:
    _hoist_definitions(operation, schemas)
    for parameter in operation.get("parameters", ()):
        _leave_out_null(parameter["schema"])
    operation["security"] = [] if rule.is_open else _security_of(rule)
    operation["x-roles"] = sorted(rule.roles)
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    if any(
        response.get("content", {}).get("application/json", {}).get("schema") == _recorded()
        for response in responses.values()
    ):
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    if "412" in responses:
        operation.setdefault("parameters", []).append(IF_MATCH)
    if method == "get":
        _describe_tag(operation)
    for status in _statuses_of(operation, method, rule):
        responses.setdefault(str(status), {"description": REFUSALS[status]})
    for status, response in responses.items():
        _complete_response(status, response)
    operation["responses"] = dict(sorted(responses.items()))


def _describe_tag(operation: Document) -> None:
    """Every JSON answer to a GET has a tag: the route's own, or that of `shared.conditions.Tags`."""
    responses = operation["responses"]
    shown = responses.get("200", {})
    if "application/json" in shown.get("content", {}):
        shown.setdefault("headers", {}).setdefault("ETag", header("ETag"))
    tag = shown.get("headers", {}).get("ETag")
    if tag is not None:
        operation.setdefault("parameters", []).append(IF_NONE_MATCH)
        responses["304"] = {"description": "It is what the reader has.", "headers": {"ETag": tag}}


def _statuses_of(operation: Document, method: str, rule: Rule) -> set[int]:
    """The refusals that a route of this kind may answer with, whatever else it does."""
    if "content" in operation["responses"].get("400", {}):  # it has words of its own for whatever is wrong
        return {408, 413, 415} if method in CHANGING else set()
    statuses = {400, 429, 503}
    if not rule.is_open:
        statuses |= {401, 403}
    if method in CHANGING:
        statuses |= {408, 413, 415}
    parameters = operation.get("parameters", [])
    if parameters or "requestBody" in operation:
        statuses.add(422)
    if any(parameter["in"] == "path" for parameter in parameters):
        statuses.add(404)
    return statuses


def _complete_response(status: str, response: Document) -> None:
    if status.isdigit() and int(status) >= 400:
        empty = not any(content.get("schema") for content in response.get("content", {}).values())
        if empty and "content" not in response:
            response["content"] = {PROBLEM: {"schema": {"$ref": REFERENCE + Problem.__name__}}}
    headers = response.setdefault("headers", {})
    headers["X-Correlation-Id"] = header("X-Correlation-Id")
    if status == "401":
        headers["WWW-Authenticate"] = header("WWW-Authenticate")
    if status in {"429", "503"}:
        headers["Retry-After"] = header("Retry-After")


def _hoist_definitions(operation: Document, schemas: Document) -> None:
    """What `describe_body` says of a body, with all that it refers to, becomes part of the shared schemas."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content.get("schema", {})
        for name, part in schema.pop("$defs", {}).items():
            if schemas.setdefault(name, part) != part:
                raise ValueError(f"two different shapes are called {name}")
        name = schema.get("title", "")
        if name.endswith("Body") and schema.get("type") == "object" and schemas.get(name, schema) == schema:
            schemas[name] = dict(schema)
            content["schema"] = {"$ref": REFERENCE + name}


def _leave_out_null(schema: Document) -> None:
    """What may be left out of an address or a header can be left out: there is no way to write null there."""
    ways = [way for way in schema.get("anyOf", ()) if way != {"type": "null"}]
    if len(ways) == 1:
        del schema["anyOf"]
        schema |= ways[0] | {"title": schema["title"]} if "title" in schema else ways[0]
    elif ways:
        schema["anyOf"] = ways


def _recorded() -> Document:
    return {"$ref": REFERENCE + "Recorded"}


def _schema_of(model: type[BaseModel]) -> Document:
    schema = model.model_json_schema(ref_template=REFERENCE + "{model}", mode="serialization")
    schema.pop("$defs", None)
    return schema


def _name_of(route: APIRoute, method: str) -> str:
    """Its function's name; with the method and the path behind it where several routes share one."""
    place = f" {route.path_format} {method.lower()}" if method else ""
    return "_".join(re.findall(r"[A-Za-z0-9]+", route.name + place))


def _security_of(rule: Rule) -> list[dict[str, list[str]]]:
    ways: list[dict[str, list[str]]] = []
    if rule.is_own or rule.roles.keys() - {"machine_client"}:
        ways.append({"session": []})
    if "machine_client" in rule.roles:
        ways.append({"machine": [rule.scope] if rule.scope else []})
    return ways


def _security_schemes() -> Mapping[str, Document]:
    scopes = sorted({rule.scope for rule in POLICY.values() if rule.scope})
    return {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": SESSION_COOKIE,
            "description": (
                "The session of a person who signed in at identity. Whatever changes something needs the header "
                "X-Lianxin-Request: 1 beside it, which no foreign page can make a browser send."
            ),
        },
        "machine": {
            "type": "oauth2",
            "description": "A machine client's token of ten minutes for this service, asked for at identity.",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": "/v1/oauth2/token",
                    "scopes": {scope: _tell_scope(scope) for scope in scopes},
                }
            },
        },
    }


def _tell_scope(scope: str) -> str:
    return ", ".join(sorted(action for action, rule in POLICY.items() if rule.scope == scope))
