"""The SCIM 2.0 door at /scim/v2: people and groups of a staff system, and what tells such a system of us."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, APIRouter
from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    ForbiddenException,
    InvalidSyntaxException,
    InvalidValueException,
    ListResponse,
    NotFoundException,
    PatchOp,
    Resource,
    ResponseParameters,
    SCIMException,
    ScimProvider,
)
from starlette.concurrency import run_in_threadpool
from typing_extensions import override

from services.identity.api import scim_described as described
from services.identity.api.scim_described import MEDIA_TYPE, ScimGroup, ScimList, ScimUser, refuses
from services.identity.handlers import roster_groups, roster_users
from services.identity.roster.models import POLICY, RosterGroup, RosterUser, describe
from services.identity.roster.searching import Found, as_refusal, read_search
from shared.access.principal import Principal
from shared.answers import Answers, Shown, shows
from shared.database import Pool
from shared.errors import Conflict, Forbidden, LianxinError, Transient, Unauthenticated
from shared.http import AppPool, methods_at, permit
from shared.identifiers import new_id

ROOT: Final = "/scim/v2"
CHANGING: Final = ["POST", "PUT", "PATCH", "DELETE"]
Provisioning = Annotated[Principal, Depends(permit("roster.provision", any_query=True))]
Answer = Callable[[Request], Coroutine[Any, Any, Response]]
_STATUSES: tuple[tuple[type[LianxinError], int], ...] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (Conflict, 409),
    (Transient, 503),
)


class ScimResponse(JSONResponse):
    """As the document names it; what is shown is written by the resources themselves."""

    media_type = MEDIA_TYPE


class ScimRoute(APIRoute):
    """Failures as RFC 7644 writes them. Too many requests and bugs are answered as everywhere."""

    @override
    def get_route_handler(self) -> Answer:
        answer = super().get_route_handler()

        async def answer_failures(request: Request) -> Response:
            try:
                return await answer(request)
            except SCIMException as refusal:
                return show_error(refusal.status, refusal.detail, refusal.scim_type or None)
            except RequestValidationError:
                return show_error(400, "the request does not fit the documented shape", "invalidSyntax")
            except LianxinError as failure:
                status = next((status for kind, status in _STATUSES if isinstance(failure, kind)), None)
                if status is None:
                    raise
                return show_error(status, failure.detail)

        return answer_failures


def show_error(status: int, detail: str, scim_type: str | None = None) -> Response:
    document = Error(status=status, scim_type=scim_type, detail=detail[:500])
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}.get(status)
    return Response(document.model_dump_json(), status, headers, MEDIA_TYPE)


async def base_url_of(request: Request) -> str:
    issuer: str = request.app.state.settings.issuer
    return issuer + ROOT


BaseUrl = Annotated[str, Depends(base_url_of)]
router = APIRouter(
    prefix=ROOT, route_class=ScimRoute, default_response_class=ScimResponse, responses=described.EVERYWHERE
)


@cache
def _describe(base_url: str) -> ScimProvider:
    """Once: that takes long, and no installation has two."""
    return describe(base_url)


@router.get("/ServiceProviderConfig", responses=shows(described.ScimConfiguration))
def get_configuration(_: Provisioning, base_url: BaseUrl) -> Response:
    return _show(_describe(base_url).config)


def _add_listed(kind: str, shape: type[Shown], entries_of: Callable[[ScimProvider], Iterable[Resource[Any]]]) -> None:
    def list_entries(_: Provisioning, request: Request, base_url: BaseUrl) -> Response:
        if "filter" in request.query_params:
            raise ForbiddenException(detail="what describes us is not filtered")
        found = list(entries_of(_describe(base_url)))
        return _show_list(Found(total=len(found), start_index=1, resources=found), type(found[0]))

    def get_entry(identifier: str, _: Provisioning, base_url: BaseUrl) -> Response:
        entries = {str(one.id): one for one in entries_of(_describe(base_url))}
        if identifier not in entries:
            raise NotFoundException(detail="there is no such resource")
        return _show(entries[identifier])

    answers = shows(ScimList.__class_getitem__(shape))
    router.add_api_route(f"/{kind}", list_entries, methods=["GET"], name=f"list {kind}", responses=answers)
    router.add_api_route(
        f"/{kind}/{{identifier}}",
        get_entry,
        methods=["GET"],
        name=f"get of {kind}",
        responses=shows(shape) | refuses(404),
    )


_add_listed("ResourceTypes", described.ScimResourceType, lambda description: description.resource_types)
_add_listed("Schemas", described.ScimSchema, lambda description: description.schemas)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One kind of resource, by its path and its handlers, which are alike for all kinds."""

    path: str
    model: Any
    shape: type[ScimUser | ScimGroup]
    body: described.Description
    create: Callable[..., Any]
    get: Callable[..., Any]
    search: Callable[..., Found[Any]]
    replace: Callable[..., Any]
    patch: Callable[..., Any]
    delete: Callable[..., None]


USERS: Final = Collection(
    path="/Users",
    model=RosterUser,
    shape=ScimUser,
    body=described.USER,
    create=roster_users.create_user,
    get=roster_users.get_user,
    search=roster_users.search_users,
    replace=roster_users.replace_user,
    patch=roster_users.patch_user,
    delete=roster_users.delete_user,
)
GROUPS: Final = Collection(
    path="/Groups",
    model=RosterGroup,
    shape=ScimGroup,
    body=described.GROUP,
    create=roster_groups.create_group,
    get=roster_groups.get_group,
    search=roster_groups.search_groups,
    replace=roster_groups.replace_group,
    patch=roster_groups.patch_group,
    delete=roster_groups.delete_group,
)


def _add_reading(collection: Collection) -> None:
    def search(pool: Pool, base_url: str, document: Mapping[str, Any]) -> Response:
        request = read_search(collection.model, document)
        return _show_list(collection.search(pool, request, base_url=base_url), collection.model, request)

    listed = shows(ScimList.__class_getitem__(collection.shape))

    @router.get(collection.path, openapi_extra=described.SEARCHED, responses=listed)
    def list_resources(request: Request, _: Provisioning, pool: AppPool, base_url: BaseUrl) -> Response:
        return search(pool, base_url, dict(request.query_params))

    @router.post(f"{collection.path}/.search", openapi_extra=described.takes(described.SEARCH), responses=listed)
    async def search_resources(request: Request, _: Provisioning, pool: AppPool, base_url: BaseUrl) -> Response:
        return await run_in_threadpool(search, pool, base_url, _read_object(await request.body()))

    @router.get(
        f"{collection.path}/{{identifier}}",
        openapi_extra=described.ONE,
        responses=_shows(collection) | refuses(404),
    )
    def get_resource(identifier: str, request: Request, _: Provisioning, pool: AppPool, base_url: BaseUrl) -> Response:
        return _show(collection.get(pool, identifier, base_url=base_url), request)


def _add_changing(collection: Collection) -> None:
    model, one = collection.model, f"{collection.path}/{{identifier}}"
    patch_of: Any = PatchOp.__class_getitem__(model)
    conflict = refuses(_409="Another resource has that name.")

    @router.post(
        collection.path,
        status_code=201,
        openapi_extra=described.takes(collection.body) | described.ONE,
        responses=_shows(collection, status=201) | conflict,
    )
    async def post_resource(request: Request, _: Provisioning, pool: AppPool, base_url: BaseUrl) -> Response:
        sent = _read(model, await request.body(), Context.RESOURCE_CREATION_REQUEST)
        new = {"base_url": base_url, "new_id": new_id(), "now": datetime.now(UTC)}
        made = await run_in_threadpool(collection.create, pool, sent, **new)
        return _show(made, request, Context.RESOURCE_CREATION_RESPONSE, status=201)

    changed_answers = _shows(collection) | refuses(404, 412) | conflict

    @router.put(one, openapi_extra=described.takes(collection.body) | described.ONE, responses=changed_answers)
    async def put_resource(
        identifier: str, request: Request, _: Provisioning, pool: AppPool, base_url: BaseUrl
    ) -> Response:
        sent = _read(model, await request.body(), Context.RESOURCE_REPLACEMENT_REQUEST)
        changed = await run_in_threadpool(collection.replace, pool, identifier, sent, **_conditions(request, base_url))
        return _show(changed, request, Context.RESOURCE_REPLACEMENT_RESPONSE)

    @router.patch(one, openapi_extra=described.takes(described.PATCH) | described.ONE, responses=changed_answers)
    async def patch_resource(
        identifier: str, request: Request, _: Provisioning, pool: AppPool, base_url: BaseUrl
    ) -> Response:
        sent = _read(patch_of, await request.body(), Context.RESOURCE_PATCH_REQUEST)
        changed = await run_in_threadpool(collection.patch, pool, identifier, sent, **_conditions(request, base_url))
        return _show(changed, request, Context.RESOURCE_PATCH_RESPONSE)

    @router.delete(one, status_code=204, responses=refuses(404, 409, 412))
    def delete_resource(identifier: str, request: Request, _: Provisioning, pool: AppPool) -> Response:
        collection.delete(pool, identifier, if_match=request.headers.get("if-match"), now=datetime.now(UTC))
        return Response(status_code=204)


def _shows(collection: Collection, *, status: int = 200) -> Answers:
    answers = shows(collection.shape, status=status)
    answers[status]["headers"] = described.RESOURCE_HEADERS
    return answers


for _collection in (USERS, GROUPS):
    _add_reading(_collection)
    _add_changing(_collection)


@router.post("/.search", include_in_schema=False)
def search_everything(_: Provisioning) -> Response:
    return show_error(501, "ask /Users/.search or /Groups/.search")


@router.api_route("/{path:path}", methods=["GET", *CHANGING], include_in_schema=False)
def refuse(path: str, request: Request, _: Provisioning) -> Response:  # noqa: ARG001 - whatever it is
    allowed = methods_at(request)
    if request.method in allowed:  # by this route, so that no other has the path
        return show_error(404, "there is no such endpoint")
    answer = show_error(405, "there are other methods here, and Allow names them")
    answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _conditions(request: Request, base_url: str) -> dict[str, Any]:
    return {"base_url": base_url, "if_match": request.headers.get("if-match"), "now": datetime.now(UTC)}


def _read(model: Any, body: bytes, context: Context) -> Any:  # noqa: ANN401 - pydantic's own, parameterised at run time
    """Raises SCIMException."""
    try:
        sent = model.model_validate_json(body, scim_ctx=context, scim_policy=POLICY)
    except ValidationError as error:
        raise as_refusal(error) from None
    if not sent.schemas:  # the library takes an empty list
        raise InvalidValueException(detail="schemas must name what is sent")
    return sent


def _read_object(body: bytes) -> dict[str, Any]:
    """Raises InvalidSyntaxException."""
    try:
        document = orjson.loads(body) if body else None
    except orjson.JSONDecodeError:  # a number beyond all doubles, which the guard lets through as JSON
        document = None
    if not isinstance(document, dict):
        raise InvalidSyntaxException(detail="the body must be a search request")
    return document


def _show(
    resource: Any,  # noqa: ANN401 - any resource of the library
    request: Request | None = None,
    context: Context = Context.RESOURCE_QUERY_RESPONSE,
    *,
    status: int = 200,
) -> Response:
    version = resource.meta.version if resource.meta is not None else None
    headers = {"ETag": version} if version else {}
    is_read = context is Context.RESOURCE_QUERY_RESPONSE
    if is_read and request is not None and version and version in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if status == 201:
        headers["Location"] = resource.meta.location
    document = resource.model_dump_json(scim_ctx=context, response_parameters=_parameters(type(resource), request))
    return Response(document, status, headers, MEDIA_TYPE)


def _show_list(found: Found[Any], kind: Any, request: Any = None) -> Response:  # noqa: ANN401 - same
    document = ListResponse[kind](
        total_results=found.total,
        start_index=found.start_index,
        items_per_page=len(found.resources),
        resources=found.resources,
    )
    shown = document.model_dump_json(scim_ctx=Context.SEARCH_RESPONSE, response_parameters=request)
    return Response(shown, 200, None, MEDIA_TYPE)


def _parameters(kind: Any, request: Request | None) -> Any:  # noqa: ANN401 - same
    """Raises SCIMException."""
    asked = request.query_params if request is not None else {}
    given = {name: asked[name] for name in ("attributes", "excludedAttributes") if name in asked}
    try:
        return ResponseParameters[kind].model_validate(given) if given else None
    except ValidationError as error:
        raise as_refusal(error) from None
