"""The FastAPI app that every service starts from: guard, correlation, access, problems, measures."""

import gc
import json
import math
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import orjson
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from typing_extensions import override

from shared.access.principal import Asked, Authenticator, Principal
from shared.access.refusals import NoLonger
from shared.conditions import Tags
from shared.database import Pool
from shared.door import Door
from shared.edge import BODY, EdgeGuard
from shared.errors import Conflict, Forbidden, LianxinError, NotFound, Rejected, TooMany, Transient, Unauthenticated
from shared.networks import forwarded_for, network_of, sender_of
from shared.openapi import complete_document
from shared.pages import use_key
from shared.policy import POLICY, decide
from shared.queries import list_refused
from shared.reach import enter
from shared.settings import ProcessSettings
from shared.shortcut import Shortcut
from shared.throttle import throttle_of
from shared.versions import Outdated
from shared.wire import BoundedProtocol
from shared.witness import Witness, remember, remember_reach, remember_refusal

STATUS_OF_KIND: tuple[tuple[type[LianxinError], int], ...] = (
    (NotFound, 404),
    (Outdated, 412),  # before its own kind
    (Conflict, 409),
    (Rejected, 422),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (TooMany, 429),
    (Transient, 503),
)
router = APIRouter()
METHOD_NOT_ALLOWED = 405
MOST_FAULTS = 20
LARGEST_EXACT = 2**53  # from here on a float stands for more than one integer
_EMPTY_FRACTION = re.compile(r"-?[0-9]+\.0+")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)


class Body(BaseModel):
    """What every request body has in common: nothing unknown, nothing converted, nothing infinite."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


def either(first: str, second: str) -> ConfigDict:
    """For a body that has exactly one of two texts, which its validator checks: so that its schema says so too."""
    return told_as(
        {"required": [given], "properties": {given: {"type": "string"}, other: {"type": "null"}}}
        for given, other in ((first, second), (second, first))
    )


def told_as(variants: Iterable[dict[str, Any]], *, any_of: bool = False) -> ConfigDict:
    """For a body that is of one of several variants, or of any, which its validator checks: JSON Schema's words."""
    return ConfigDict(json_schema_extra={"anyOf" if any_of else "oneOf": list(variants)})


class InvalidBody(Rejected):
    """The body does not fit. Only places and kinds of fault are told, never what was sent."""

    code = "invalid-body"

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        super().__init__("the request does not fit the documented shape")
        self.faults = faults


Model = TypeVar("Model", bound=BaseModel)


def json_body(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """A dependency that reads the body as the model, straight from the bytes the guard has checked."""

    async def read(request: Request) -> Model:
        return parse_body(model, await read_body(request))

    return read


async def read_body(request: Request) -> bytes:
    """What the guard has read and checked; of an upload, which it lets through, all that comes."""
    checked: bytes | None = request.scope.get(BODY)
    return await request.body() if checked is None else checked


def parse_body(model: type[Model], body: bytes) -> Model:
    """Raises InvalidBody."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        refused = error
    if any(fault["type"] == "int_type" for fault in _list_faults(refused)):
        try:
            return model.model_validate_json(_without_empty_fractions(body))
        except ValidationError as error:
            refused = error
    raise InvalidBody(_faults(_list_faults(refused)))


def _list_faults(error: ValidationError) -> list[Any]:
    """Without what was sent, which never comes back."""
    return error.errors(include_input=False, include_url=False, include_context=False)


def _without_empty_fractions(body: bytes) -> str:
    """To JSON Schema, and so to our documents, 7.0 is an integer as well as 7. What has an exponent is none to us."""
    return json.dumps(json.loads(body, parse_float=_read_number))


def _read_number(text: str) -> float:
    number = float(text)
    return int(number) if _EMPTY_FRACTION.fullmatch(text) and abs(number) <= LARGEST_EXACT else number


def describe_body(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body is read by `json_body`. What it refers to is put among all schemas."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def authenticate(request: Request) -> Principal:
    """Raises Unauthenticated, Forbidden, DatabaseAway."""
    authenticator: Authenticator = request.app.state.authenticator
    return await authenticator.authenticate(_asked(request))


async def authenticate_client(request: Request, client_id: str) -> Principal:
    """For a client whose key is of this service alone. Raises Unauthenticated, DatabaseAway."""
    authenticator: Authenticator = request.app.state.authenticator
    return await authenticator.authenticate_client(client_id, _address_of(request))


def permit(
    action: str, *, known_by: Callable[[Request], Awaitable[Principal]] = authenticate, any_query: bool = False
) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency that lets in who may do this, and puts into force what they may touch in it.

    `any_query` is for what an outside standard describes: parameters that are none of the route's pass unread.

    It raises Unauthenticated, Forbidden. Asynchronous, so that what it enters holds for the route, and because a
    synchronous one would cost every request a trip to another thread. Raises KeyError at once for an unknown action.
    """
    if POLICY[action].is_open:
        raise ValueError(f"the policy opens {action} to everybody: there is nobody to ask")

    async def authorise(request: Request) -> Principal:
        principal = await _admit(request, action, known_by(request))
        if not any_query:
            check_query(request)
        return principal

    authorise.action = action  # type: ignore[attr-defined] # read by list_actions
    authorise.any_query = any_query  # type: ignore[attr-defined] # read by complete_document
    return authorise


async def let_in(request: Request, action: str, asked: Asked) -> Principal:
    """Put into force what whoever asks may touch in doing that. Raises Unauthenticated, Forbidden, TooMany."""
    authenticator: Authenticator = request.app.state.authenticator
    return await _admit(request, action, authenticator.authenticate(asked))


async def _admit(request: Request, action: str, knowing: Awaitable[Principal]) -> Principal:
    try:
        principal = await knowing
    except NoLonger as refusal:
        remember_refusal(request.scope, refusal.known, action)
        raise
    remember(request.scope, principal, action)
    now = datetime.now(UTC)
    throttle = throttle_of(request.app)
    if throttle is not None:
        await throttle.count(principal, action, now=now)
    reach = decide(principal, action, now=now)
    remember_reach(request.scope, reach)
    enter(reach)
    return principal


def leave_open(action: str, *, any_query: bool = False) -> Callable[[Request], Awaitable[None]]:
    """A dependency for routes that the policy opens to everybody. Raises ValueError at once for any other action."""
    if not POLICY[action].is_open:
        raise ValueError(f"the policy does not open {action} to everybody")

    async def admit(request: Request) -> None:
        """Nobody is asked who they are, and no reach is in force: the handler says what may be touched."""
        if not any_query:
            check_query(request)

    admit.action = action  # type: ignore[attr-defined] # read by list_actions
    admit.any_query = any_query  # type: ignore[attr-defined] # read by complete_document
    return admit


def check_query(request: Request) -> None:
    """Raises InvalidBody for parameters that the route does not have, and for those that it takes once, sent twice."""
    refused = list_refused(request)
    if refused:
        faults = [{"kind": kind, "place": ["query", _name(name)]} for kind, name in refused[:MOST_FAULTS]]
        raise InvalidBody(faults)


async def pool_of(request: Request) -> Pool:
    """The pool of the app. Asynchronous, because a synchronous dependency costs a trip to another thread."""
    pool: Pool = request.app.state.pool
    return pool


AppPool = Annotated[Pool, Depends(pool_of)]


async def settings_of(request: Request) -> ProcessSettings:
    """Those of the service, which the app was made with: a service names the dependency by its own kind of them."""
    settings: ProcessSettings = request.app.state.settings
    return settings


def network_behind(request: Request) -> str:
    """The network that stands for the sender, where there is no account that limits could be counted by."""
    return network_of(_address_of(request))


def _asked(request: Request) -> Asked:
    headers = request.headers
    cookies = tuple(headers.getlist("cookie"))
    return Asked(method=request.method, headers=headers, address=_address_of(request), cookies=cookies)


def _address_of(request: Request) -> str:
    settings: ProcessSettings = request.app.state.settings
    peer = request.client.host if request.client is not None else None
    return sender_of(peer, forwarded_for(request.headers), settings.trusted_proxies)


class _App(FastAPI):
    """FastAPI without the layers that it puts around ours, which answer what our own door has answered already."""

    @override
    def build_middleware_stack(self) -> Any:
        stack: Any = super().build_middleware_stack()
        while not isinstance(stack, Door):
            stack = stack.app
        return stack


def create_app(
    title: str,
    settings: ProcessSettings,
    *,
    authenticator: Authenticator,
    lifespan: Callable[[FastAPI], Any] | None = None,
    upload_paths: Iterable[str] = (),
    form_paths: Iterable[str] = (),
) -> FastAPI:
    """An app with the guard before everything, and problem documents for every failure."""
    app = _App(
        title=title,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # measures and logs are our own
    )
    app.openapi = lambda: describe_api(app)  # type: ignore[method-assign] # as FastAPI itself advises
    app.state.settings = settings
    use_key(settings.database_url.get_secret_value())
    app.state.authenticator = authenticator
    app.add_exception_handler(LianxinError, answer_expected)  # type: ignore[arg-type] # Starlette types by Exception
    app.add_exception_handler(RequestValidationError, _answer_invalid)  # type: ignore[arg-type] # same
    app.add_exception_handler(HTTPException, _answer_http)  # type: ignore[arg-type] # same
    app.add_middleware(Tags)
    app.add_middleware(
        Shortcut,
        routes=lambda: list_routes(app),
        handlers=app.exception_handlers,
    )
    app.add_middleware(Witness)
    app.add_middleware(EdgeGuard, upload_paths=tuple(upload_paths), form_paths=tuple(form_paths))
    app.add_middleware(Door)
    take_routes(app, router)
    return app


@router.get("/v1/openapi.json", include_in_schema=False)
def get_description(request: Request, _: Annotated[Principal, Depends(permit("api.describe"))]) -> Response:
    return json_response(request.app.openapi())


def describe_api(app: FastAPI) -> dict[str, Any]:
    """The app's OpenAPI document, made once."""
    if app.openapi_schema is None:
        complete_document(FastAPI.openapi(app), list_actions(app))
    return app.openapi_schema or {}


def check_routes_are_guarded(app: FastAPI) -> None:
    """Raises RuntimeError when a route does not say which action it is, or not before all else: deny by default."""
    for route, actions in list_actions(app):
        if len(actions) != 1 or actions[0] not in POLICY:
            raise RuntimeError(f"{route.path} does not say which action it is")
        if _action_of(route.dependant.dependencies[0].call) is None:  # they are called in the order they are named
            raise RuntimeError(f"{route.path} reads what was sent before it asks who sends it")
        if POLICY[actions[0]].sensitive_read and not hasattr(app.state, "trail"):
            raise RuntimeError(f"{route.path} must be recorded in an audit, and there is none")


def list_actions(app: FastAPI) -> list[tuple[APIRoute, list[str]]]:
    """List every route with the actions that it asks leave for: a sound one has exactly one. Raises TypeError."""
    listed = []
    for route in list_routes(app):
        named = [_action_of(dependency.call) for dependency in route.dependant.dependencies]
        listed.append((route, [action for action in named if action is not None]))
    return listed


def _action_of(call: object) -> str | None:
    action = getattr(call, "__dict__", {}).get("action")
    return None if action is None else str(action)


def take_routes(app: FastAPI, router: APIRouter) -> None:
    """Let the app answer the router's routes as they are, once it has all of them.

    `include_router` would make each a second time for each app, at its first request, and look for the right one
    twice in every request.
    """
    app.routes.extend(router.routes)


def list_routes(app: FastAPI) -> list[APIRoute]:
    """Raises TypeError where one is not an API route, such as what `include_router` leaves."""
    routes = []
    for route in app.routes:
        if not isinstance(route, APIRoute):
            raise TypeError(f"{route} is not an API route")
        routes.append(route)
    return routes


def serve(app: FastAPI, settings: ProcessSettings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first."""
    check_routes_are_guarded(app)
    if throttle_of(app) is None:
        raise RuntimeError("the app counts nobody's requests")
    tls = settings.make_door_context()
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again when all is answered: a clean end must not look like a death by signal.
        signal.signal(number, lambda *_: sys.exit(0))
    # What the app is made of lives as long as it does: to look through all of it again holds every request up for a
    # tenth of a second.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=settings.api_host,
        port=settings.api_port,
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # uvicorn would believe whoever connects from this machine
        backlog=1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=20,
        ssl_context_factory=(lambda *_: tls) if tls is not None else None,
    )


def json_response(document: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), status_code=status, media_type="application/json", headers=headers)


def problem(status: int, code: str, detail: str, **more: object) -> Response:
    """A problem document of RFC 9457."""
    document = {"type": f"urn:lianxin:problem:{code}", "title": code, "status": status, "detail": detail, **more}
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}.get(status)
    return Response(orjson.dumps(document), status, headers, "application/problem+json")


async def answer_expected(_: Request, error: LianxinError) -> Response:
    status = next((status for kind, status in STATUS_OF_KIND if isinstance(error, kind)), 500)
    more: dict[str, object] = {"faults": error.faults} if isinstance(error, InvalidBody) else {}
    if error.detail_zh is not None:
        more["detail_zh"] = error.detail_zh
    answer = problem(status, error.code, error.detail, **more)
    if isinstance(error, TooMany):
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
    return answer


async def _answer_invalid(_: Request, error: RequestValidationError) -> Response:
    return await answer_expected(_, InvalidBody(_faults(error.errors())))


async def _answer_http(request: Request, error: HTTPException) -> Response:
    codes = {404: "not-found", 405: "method-not-allowed"}
    answer = problem(error.status_code, codes.get(error.status_code, "http-error"), "the request cannot be answered")
    answer.headers.update(error.headers or {})
    if error.status_code == METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(sorted(methods_at(request)))
    return answer


def methods_at(request: Request) -> set[str]:
    """Which methods there are instead: of every route of this path, where Starlette names those of the first."""
    found = [route for route in list_routes(request.app) if route.matches(request.scope)[0] is not Match.NONE]
    # What is tried first is what the path is for; what matches it besides takes its last part for something else.
    return {method for route in found if route.path_format == found[0].path_format for method in route.methods or ()}


def _faults(errors: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {"kind": fault["type"], "place": [_name(part) for part in fault["loc"]]} for fault in list(errors)[:MOST_FAULTS]
    ]


def _name(part: object) -> str:
    """A field's name or a place in a list. A key that nobody knows may be anything that somebody put there."""
    text = str(part)
    return text if isinstance(part, int) or _FIELD.fullmatch(text) else "?"
