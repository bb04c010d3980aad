"""Searches: bounded before they are parsed, narrowed where an index helps, then filtered, sorted and paged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError
from scim2_models import Context, Error, InvalidFilterException, Resource, SCIMException, SearchRequest

from services.identity.domain.roster import Condition
from services.identity.roster.models import MOST_RESULTS, POLICY
from services.identity.roster.narrowing import narrow

LONGEST_FILTER: Final = 1_000
LONGEST_PARAMETER: Final = 2_000
MOST_SEARCHED: Final = 10_000
USUAL_PAGE: Final = 100
LARGEST_INDEX: Final = 10**9

Kind = TypeVar("Kind", bound=Resource[Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[Kind]):
    total: int
    start_index: int
    resources: list[Kind]


def read_search(kind: type[Kind], document: Mapping[str, Any]) -> SearchRequest[Kind]:
    """Raises SCIMException."""
    if len(str(document.get("filter") or "")) > LONGEST_FILTER:
        raise InvalidFilterException(detail=f"a filter has at most {LONGEST_FILTER} characters")
    if any(len(str(value)) > LONGEST_PARAMETER for value in document.values()):
        raise SCIMException(detail="a parameter is too long")
    model: Any = SearchRequest[kind]  # type: ignore[valid-type] # the kind is known at run time
    try:
        request: SearchRequest[Kind] = model.model_validate(
            document, scim_ctx=Context.SEARCH_REQUEST, scim_policy=POLICY
        )
    except ValidationError as error:
        raise as_refusal(error) from None
    return request


def page_of(request: SearchRequest[Kind]) -> tuple[int, int]:
    """Offset and size of the page."""
    start = min(request.start_index or 1, LARGEST_INDEX)
    count = USUAL_PAGE if request.count is None else request.count
    return start - 1, min(count, MOST_RESULTS)


def condition_of(request: SearchRequest[Kind]) -> Condition | None:
    """What the database may leave out before the filter itself is applied."""
    return narrow(request.filter.ast) if request.filter is not None else None


def select(request: SearchRequest[Kind], resources: Sequence[Kind]) -> Found[Kind]:
    matching = [one for one in resources if request.filter is None or request.filter.match(one)]
    offset, count = page_of(request)
    page = request.sort(matching)[offset : offset + count]
    return Found(total=len(matching), start_index=offset + 1, resources=page)


def as_refusal(error: ValidationError) -> SCIMException:
    """The first fault, in SCIM's words and without what was sent."""
    first = error.errors(include_input=False, include_url=False)[0]
    told = Error.from_validation_error(first)
    refusal = SCIMException.from_error(told)
    if refusal.status >= 500:
        refusal.status = 400
    return refusal
