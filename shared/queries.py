"""Which parameters of a query a route has, and which were sent that it has not.

A filter whose name is mistyped would otherwise let everything through, and nobody would be told.
"""

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel


def list_unknown(request: Request) -> list[str]:
    """In the order that they were sent. What no document describes, such as a page, takes any."""
    route = request.scope.get("route")
    if not request.scope["query_string"] or not isinstance(route, APIRoute) or not route.include_in_schema:
        return []
    known = list_parameters(route)
    return [name for name in request.query_params if name not in known]


def list_parameters(route: APIRoute) -> set[str]:
    """What the route and its dependencies read of a query; of a model each field by its own name."""
    names: set[str] = set()
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        for field in dependant.query_params:
            model = field.field_info.annotation
            fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
            names |= {one.alias or name for name, one in fields.items()} or {field.alias}
    return names
