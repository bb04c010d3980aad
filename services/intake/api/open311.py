"""Open311 GeoReport v2 at /open311/v2, in XML and JSON: what other cities' software speaks (docs/open311.md)."""

import math
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from typing_extensions import override

from services.intake.api import open311_described as described
from services.intake.api.doors import describe, doors
from services.intake.api.open311_forms import (
    catalogue_of,
    client_organisation,
    known_by_key,
    load_catalogue,
    read_arguments,
    read_details,
    read_form,
    read_sender,
    read_text,
)
from services.intake.api.open311_shapes import (
    Format,
    answer,
    show_definition,
    show_discovery,
    show_request,
    show_service,
    show_updates,
)
from services.intake.api.repeats import Keyed, Once
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.filings import Filing
from services.intake.domain.commands.issues import ReceiveIssue
from services.intake.domain.filings import (
    STATES,
    BadRequest,
    NoSuchJurisdiction,
    NoSuchRequest,
    read_id,
    read_instant,
    read_query,
)
from services.intake.handlers import filings
from services.intake.handlers.filings import ToldUpdate
from shared.access.principal import Principal
from shared.answers import Shown, refuses, shows
from shared.conditions import read_expected, tagged
from shared.database import Pool
from shared.edge import LongText
from shared.errors import Forbidden, LianxinError, NotFound, TooMany, Transient, Unauthenticated
from shared.http import Body, describe_body, json_body, json_response, leave_open, network_behind, permit, take_routes
from shared.identifiers import new_id

ROOT: Final = "/open311/v2"
FORMS: Final[tuple[Format, ...]] = get_args(Format)
FORM_PATHS: Final = tuple(f"{ROOT}/{name}.{form}" for name in ("requests", "servicerequestupdates") for form in FORMS)
STATUSES: Final[tuple[tuple[type[LianxinError], int], ...]] = (
    (NotFound, 404),
    (Forbidden, 403),
    (Unauthenticated, 403),
    (TooMany, 429),
    (Transient, 503),
)
KEY_BYTES: Final = 32
Handler = Callable[[Request, Format], Response]
AsyncHandler = Callable[[Request, Format, Principal, Once], Awaitable[Response]]
looking = Depends(leave_open("open311.read", any_query=True))
Filer = Annotated[Principal, Depends(permit("open311.file", known_by=known_by_key, any_query=True))]


class GeoReportRoute(APIRoute):
    """Failures as GeoReport writes them: 404 and 403 where it says so, 400 for everything else that is wrong."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        respond = super().get_route_handler()
        form: Format = "json" if self.path.endswith(".json") else "xml"

        async def answer_failures(request: Request) -> Response:
            try:
                return await respond(request)
            except LianxinError as failure:
                status = next((status for kind, status in STATUSES if isinstance(failure, kind)), 400)
                return _refuse(failure, status, form)

        return answer_failures


def _refuse(failure: LianxinError, status: int, form: Format) -> Response:
    refusal = answer(
        "errors", [{"code": str(status), "description": f"{failure.code}: {failure.detail}"}], form, status=status
    )
    if isinstance(failure, TooMany):
        refusal.headers["Retry-After"] = str(math.ceil(failure.retry_after_seconds))
    elif isinstance(failure, Transient):
        refusal.headers["Retry-After"] = "2"
    return refusal


class XmlResponse(Response):
    media_type = "text/xml"


_RESPONSES: Final[dict[Format, type[Response]]] = {"xml": XmlResponse, "json": JSONResponse}


class ShownKey(Shown):
    """The key is shown this once, and is nowhere kept."""

    api_key: str


class PublicationBody(Body):
    """`notes` are words for everybody: what an officer releases, never what a citizen wrote."""

    is_public: bool
    notes: LongText | None = None


class Publication(Shown):
    issue_id: UUID
    is_public: bool


def add_open311(app: FastAPI) -> None:
    """Raises OSError, ValueError where the services cannot be read."""
    app.state.open311_catalogue = load_catalogue(app.state.settings.open311_services)
    take_routes(app, _router())
    take_routes(app, _staff)


@cache
def _router() -> APIRouter:
    router = APIRouter(route_class=GeoReportRoute, tags=["Open311"])
    for form in FORMS:
        _add_readers(router, form)
        _add_writers(router, form)
    return router


def _add_readers(router: APIRouter, form: Format) -> None:
    for path, name, handler in (
        ("/open311/discovery", "discover", _discover),
        (f"{ROOT}/services", "list_services", _list_services),
        (f"{ROOT}/services/{{service_code}}", "get_service_definition", _get_definition),
        (f"{ROOT}/requests", "list_requests", _list_requests),
        (f"{ROOT}/requests/{{service_request_id}}", "get_request", _get_request),
        (f"{ROOT}/tokens/{{token}}", "get_request_of_token", _get_token),
        (f"{ROOT}/servicerequestupdates", "list_request_updates", _list_updates),
    ):
        router.add_api_route(
            f"{path}.{form}",
            _reader(handler, form),
            name=f"open311_{name}_{form}",
            methods=["GET"],
            response_class=_RESPONSES[form],
            dependencies=[looking],
            responses=described.answers(name, form),
            openapi_extra=described.parameters(name),
        )


def _add_writers(router: APIRouter, form: Format) -> None:
    for path, name, handler in (
        ("requests", "file_request", _file_request),
        ("servicerequestupdates", "tell_request_update", _tell_update),
    ):
        router.add_api_route(
            f"{ROOT}/{path}.{form}",
            _writer(handler, form),
            name=f"open311_{name}_{form}",
            methods=["POST"],
            response_class=_RESPONSES[form],
            responses=described.answers(name, form),
            openapi_extra=described.form(name),
        )


def _reader(handler: Handler, form: Format) -> Callable[[Request], Response]:
    def read(request: Request) -> Response:
        filings.count_read(doors(request).pool, network_behind(request), now=datetime.now(UTC))
        _check_jurisdiction(request, read_arguments(request))
        return handler(request, form)

    return read


def _writer(handler: AsyncHandler, form: Format) -> Callable[..., Awaitable[Response]]:
    async def write(request: Request, principal: Filer, once: Keyed) -> Response:
        return await handler(request, form, principal, once)

    return write


def _discover(request: Request, form: Format) -> Response:
    settings = doors(request).settings
    base_url = f"{request.url.scheme}://{request.url.netloc}"
    document = show_discovery(catalogue_of(request), contact=settings.open311_contact, base_url=base_url)
    return answer("discovery", document, form)


def _list_services(request: Request, form: Format) -> Response:
    return answer("services", [show_service(service) for service in catalogue_of(request).services.values()], form)


def _get_definition(request: Request, form: Format) -> Response:
    service = catalogue_of(request).get(request.path_params["service_code"])
    return answer("service_definition", show_definition(service), form)


def _list_requests(request: Request, form: Format) -> Response:
    arguments = read_arguments(request)
    query = read_query(arguments, now=datetime.now(UTC))
    found = filings.list_requests(doors(request).pool, query) if _shows_anything(request) else []
    extended = arguments.get("extensions") == "true"
    catalogue = catalogue_of(request)
    shown = [show_request(one, catalogue, extended=extended) for one in found]
    return answer("service_requests", shown, form)


def _get_request(request: Request, form: Format) -> Response:
    arguments = read_arguments(request)
    found = _find(request, request.path_params["service_request_id"])
    extended = arguments.get("extensions") == "true"
    return answer("service_requests", [show_request(found, catalogue_of(request), extended=extended)], form)


def _get_token(request: Request, form: Format) -> Response:
    """Every request gets its id at once, so that a token is that id."""
    identifier = str(_find(request, request.path_params["token"]).request.id)
    return answer("service_requests", [{"service_request_id": identifier, "token": identifier}], form)


def _list_updates(request: Request, form: Format) -> Response:
    query = read_query(read_arguments(request), now=datetime.now(UTC))
    found = filings.list_changed(doors(request).pool, query) if _shows_anything(request) else []
    return answer("service_request_updates", [update for one in found for update in show_updates(one)], form)


def _find(request: Request, text: str) -> filings.ShownRequest:
    if not _shows_anything(request):
        raise NoSuchRequest("there is no such request")
    return filings.get_request(doors(request).pool, read_id(text))


async def _file_request(request: Request, form: Format, principal: Principal, _: Once) -> Response:
    """Its key goes with the command to the group whose commit it waits for."""
    fields, attributes = await read_form(request)
    _check_jurisdiction(request, fields)
    catalogue = await run_in_threadpool(catalogue_of, request)
    details = read_details(fields, attributes, catalogue)
    common = await describe(request, principal)
    scope = common["reach"].organisation_codes if common["reach"] is not None else ()
    command = ReceiveIssue(
        **common,
        type="help",
        category=fields["service_code"],
        channel="other_system",
        title=catalogue.get(fields["service_code"]).name,
        description=read_text(fields),
        respond_within=doors(request).settings.respond_within,
        organisation_code=client_organisation(scope),
        citizen=read_sender(fields),
        filing=Filing(
            account_id=principal.account_id,
            service_code=fields["service_code"],
            latitude=details.get("lat"),
            longitude=details.get("long"),
            is_public=doors(request).settings.open311_public == "filed",
            details=details,
        ),
    )
    outcome = await doors(request).issues.submit(command)
    _check_outcome(outcome)
    told = {"service_request_id": str(outcome.id), "service_notice": "", "account_id": fields.get("account_id", "")}
    return answer("service_requests", [told], form)


def _check_outcome(outcome: Outcome) -> None:
    """Raises BadRequest: GeoReport knows no other word for what contradicts what stands."""
    if outcome.status in {"conflict", "rejected"}:
        raise BadRequest(f"{outcome.code}: {outcome.detail}")


async def _tell_update(request: Request, form: Format, principal: Principal, once: Once) -> Response:
    fields, _ = await read_form(request)
    _check_jurisdiction(request, fields)
    status = fields.get("status", "open").lower()
    if "service_request_id" not in fields or status not in STATES:
        raise BadRequest("service_request_id, and a status of open or closed, are required")
    now = datetime.now(UTC)
    update = ToldUpdate(
        id=new_id(),
        status="closed" if status == "closed" else "open",
        told_at=read_instant("updated_datetime", fields["updated_datetime"]) if "updated_datetime" in fields else now,
        text=read_text(fields),
    )

    def tell(pool: Pool) -> Response:
        issue_id = read_id(fields["service_request_id"])
        filings.tell_update(pool, issue_id, update, account_id=principal.account_id, now=now)
        return answer("service_request_updates", [{"update_id": str(update.id)}], form)

    return await run_in_threadpool(once.run, tell)


def _check_jurisdiction(request: Request, fields: dict[str, str]) -> None:
    given = fields.get("jurisdiction_id")
    if given is not None and given != doors(request).settings.open311_jurisdiction:
        raise NoSuchJurisdiction("there is no such jurisdiction here")


def _shows_anything(request: Request) -> bool:
    return doors(request).settings.open311_public != "nothing"


_staff = APIRouter(prefix="/v1", tags=["Open311"])


@_staff.post("/open311/keys", status_code=201, responses=shows(ShownKey, status=201))
def make_open311_key(principal: Annotated[Principal, Depends(permit("open311.key"))], once: Keyed) -> Response:
    """A new key for the machine client that asks. The one before ends with it."""

    def make(pool: Pool) -> Response:
        key, now = secrets.token_urlsafe(KEY_BYTES), datetime.now(UTC)
        filings.make_key(pool, key, account_id=principal.account_id, client_id=principal.name, now=now)
        return json_response({"api_key": key}, status=201)

    return once.run(make)


@_staff.get("/issues/{issue_id}/filing", responses=shows(filings.FiledIssue, headers=("ETag",)))
def get_filing(request: Request, _: Annotated[Principal, Depends(permit("issue.read"))], issue_id: UUID) -> Response:
    found = filings.read_filing(doors(request).pool, issue_id)
    return tagged(request, found, version=found.version)


@_staff.put(
    "/issues/{issue_id}/publication",
    responses=shows(Publication) | refuses(409, 412),
    openapi_extra=describe_body(PublicationBody),
)
def publish_issue(
    request: Request,
    _: Annotated[Principal, Depends(permit("issue.publish"))],
    issue_id: UUID,
    body: Annotated[PublicationBody, Depends(json_body(PublicationBody))],
) -> Response:
    pool, now = doors(request).pool, datetime.now(UTC)
    filings.publish(
        pool, issue_id, is_public=body.is_public, notes=body.notes, expected=read_expected(request), now=now
    )
    return json_response({"issue_id": issue_id, "is_public": body.is_public})
