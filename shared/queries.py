"""Which parameters of a query a route has, and which were sent that it has not, or twice where it takes one.

A filter whose name is mistyped would otherwise let everything through, and of two values the last would hold: nobody
would be told.
"""

from collections.abc import Mapping
from typing import Any, Final, get_args, get_origin

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

UNKNOWN: Final = "extra_forbidden"  # as pydantic calls an unknown field of a body
REPEATED: Final = "repeated"


def list_refused(request: Request) -> list[tuple[str, str]]:
    """Kinds of fault and names, in the order sent. What no document describes, such as a page, takes any."""
    route = request.scope.get("route")
    if not request.scope["query_string"] or not isinstance(route, APIRoute) or not route.include_in_schema:
        return []
    known = list_parameters(route)
    seen: dict[str, int] = {}
    refused = []
    for name, _ in request.query_params.multi_items():
        seen[name] = seen.get(name, 0) + 1
        if name not in known:
            refused.append((UNKNOWN, name))
        elif seen[name] == 2 and not known[name]:
            refused.append((REPEATED, name))
    return refused


def list_parameters(route: APIRoute) -> Mapping[str, bool]:
    """What the route and its dependencies read of a query, and whether it may be repeated; worked out once a route."""
    known: Mapping[str, bool] | None = route.__dict__.get("query_parameters")
    if known is None:
        known = route.__dict__["query_parameters"] = _work_out(route)
    return known


def _work_out(route: APIRoute) -> dict[str, bool]:
    """Of a model each field by its own name."""
    known: dict[str, bool] = {}
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        for field in dependant.query_params:
            annotation = field.field_info.annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                fields = annotation.model_fields.items()
                known |= {one.alias or name: _takes_many(one.annotation) for name, one in fields}
            else:
                known[field.alias] = _takes_many(annotation)
    return known


def _takes_many(annotation: Any) -> bool:  # noqa: ANN401 - whatever a parameter may be annotated with
    """Whether a list of values is read, or either a list or something else."""
    origin = get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, list | tuple | set | frozenset):
        return True
    return any(_takes_many(one) for one in get_args(annotation))
