"""Open311 GeoReport v2 as far as it is about values: services and their attributes, and what requests ask for. Pure."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from services.intake.domain.times import EARLIEST, LATEST
from shared.errors import Forbidden, NotFound, Rejected

Datatype = Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
PublicState = Literal["open", "closed"]

LONGEST_SPAN: Final = timedelta(days=90)
MOST_REQUESTS: Final = 1_000
LONGEST_DESCRIPTION: Final = 4_000
LONGEST_VALUE: Final = 500
MOST_IDS: Final = 100
DECIMALS: Final = 2  # of a public position: about a kilometre
STATES: Final = ("open", "closed")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MARKUP = re.compile(r"<[a-zA-Z/!]")


class BadRequest(Rejected):
    """What a request says is wrong; the text names the argument and never repeats its value."""

    code = "bad-request"


class NoSuchService(NotFound):
    code = "service-not-found"


class NoSuchRequest(NotFound):
    code = "request-not-found"


class NoSuchJurisdiction(NotFound):
    code = "jurisdiction-not-found"


class BadKey(Forbidden):
    code = "bad-api-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    code: str
    datatype: Datatype
    required: bool
    description: str
    datatype_description: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    variable: bool = True  # what is not is told to the sender, and not asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    code: str
    name: str
    description: str
    group: str = ""
    keywords: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    services: Mapping[str, Service]
    changeset: datetime

    def get(self, code: str) -> Service:
        """Raises NoSuchService."""
        if code not in self.services:
            raise NoSuchService("there is no service of this code")
        return self.services[code]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestQuery:
    """Either the requests of these ids, or those that fit all the rest."""

    ids: tuple[UUID, ...] | None = None
    service_codes: tuple[str, ...] = ()
    states: tuple[PublicState, ...] = ()
    start: datetime = EARLIEST
    end: datetime = LATEST
    offset: int = 0
    limit: int = MOST_REQUESTS


def read_catalogue(document: Mapping[str, Any]) -> Catalogue:
    """Raises ValueError for what is no sound list of services; the text names the place."""
    services: dict[str, Service] = {}
    for item in document.get("service", ()):
        service = Service(
            **{name: item[name] for name in ("code", "name", "description")},
            group=item.get("group", ""),
            keywords=tuple(item.get("keywords", ())),
            attributes=tuple(Attribute(**attribute) for attribute in item.get("attribute", ())),
        )
        _check_service(service)
        if service.code in services:
            raise ValueError(f"the service {service.code} stands there twice")
        services[service.code] = service
    changeset = document.get("changeset")
    if not isinstance(changeset, datetime) or changeset.tzinfo is None:
        raise ValueError("changeset must be an instant with its offset")
    return Catalogue(services=services, changeset=changeset)


def _check_service(service: Service) -> None:
    codes = [attribute.code for attribute in service.attributes]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", service.code) or not service.name or not service.description:
        raise ValueError(f"the service {service.code!r} needs a plain code, a name and a description")
    if len(set(codes)) != len(codes):
        raise ValueError(f"the service {service.code} has two attributes of one code")
    for attribute in service.attributes:
        if attribute.datatype not in {"string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"}:
            raise ValueError(f"{service.code}.{attribute.code} has no datatype of GeoReport")
        if attribute.datatype.endswith("list") != bool(attribute.values):
            raise ValueError(f"{service.code}.{attribute.code}: values belong to a list, and to nothing else")


def read_attributes(service: Service, given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Raises BadRequest for what the definition does not ask for, or asks for and does not get."""
    asked = {attribute.code: attribute for attribute in service.attributes if attribute.variable}
    if not given.keys() <= asked.keys():
        raise BadRequest("attribute: the service asks for no such attribute")
    read = {}
    for code, attribute in asked.items():
        values = [value for value in given.get(code, ()) if value]
        if attribute.required and not values:
            raise BadRequest(f"attribute[{code}] is required for this service")
        if len(values) > 1 and attribute.datatype != "multivaluelist":
            raise BadRequest(f"attribute[{code}] takes one value")
        for value in values:
            _check_value(attribute, value)
        if values:
            read[code] = values
    return read


def _check_value(attribute: Attribute, value: str) -> None:
    fits = len(value) <= (LONGEST_DESCRIPTION if attribute.datatype == "text" else LONGEST_VALUE)
    if attribute.datatype == "number":
        fits = fits and _NUMBER.fullmatch(value) is not None
    elif attribute.datatype == "datetime":
        read_instant(f"attribute[{attribute.code}]", value)
    elif attribute.datatype.endswith("list"):
        fits = fits and value in attribute.values
    if not fits:
        raise BadRequest(f"attribute[{attribute.code}] is no {attribute.datatype} that fits")


def read_instant(name: str, text: str) -> datetime:
    """With its offset, as GeoReport demands. A plus that a sender forgot to encode arrives as a space."""
    if _DATE.match(text) is None or len(text) > 40:
        raise BadRequest(f"{name} must be an instant of ISO 8601 with Z or an offset")
    try:
        instant = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text, flags=re.ASCII))
    except ValueError:
        raise BadRequest(f"{name} must be an instant of ISO 8601 with Z or an offset") from None
    if instant.tzinfo is None or not EARLIEST <= instant <= LATEST:
        raise BadRequest(f"{name} must be an instant of ISO 8601 with Z or an offset, within two centuries")
    return instant.astimezone(UTC)


def read_position(given: Mapping[str, str]) -> tuple[float, float] | None:
    latitude, longitude = given.get("lat"), given.get("long")
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        raise BadRequest("lat and long come together")
    return _degrees("lat", latitude, 90), _degrees("long", longitude, 180)


def _degrees(name: str, text: str, most: int) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not -most <= value <= most:
        raise BadRequest(f"{name} must be degrees of WGS 84")
    return value


def read_description(text: str) -> str:
    if len(text) > LONGEST_DESCRIPTION:
        raise BadRequest(f"description has at most {LONGEST_DESCRIPTION} characters")
    if _MARKUP.search(text):
        raise BadRequest("description is plain text, without markup")
    return text


def read_link(name: str, text: str) -> str:
    """A reference that is kept as it is: nothing ever fetches it."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.netloc) and len(text) <= LONGEST_VALUE * 4
    except ValueError:
        fits = False
    if not fits or not text.isascii() or any(character.isspace() for character in text):
        raise BadRequest(f"{name} must be an address of http or https")
    return text


def name_of(first_name: str | None, last_name: str | None) -> str | None:
    """As it is written: the family name first and without a space where the name is Chinese."""
    parts = [part for part in (first_name, last_name) if part]
    if not parts:
        return None
    if any(unicodedata.category(character) == "Lo" for part in parts for character in part):
        return "".join(reversed(parts))
    return " ".join(parts)


def read_query(given: Mapping[str, str], *, now: datetime) -> RequestQuery:
    """Raises BadRequest. service_request_id goes before everything else, as GeoReport has it."""
    if "service_request_id" in given:
        return RequestQuery(ids=read_ids(given["service_request_id"]))
    states = _split(given.get("status", ""))
    if not set(states) <= set(STATES):
        raise BadRequest("status is open, closed or both with a comma between them")
    start, end = _read_span(given, now)
    limit, page = _read_page(given)
    return RequestQuery(
        service_codes=_split(given.get("service_code", "")),
        states=tuple(state for state in STATES if state in states),
        start=start,
        end=end,
        offset=(page - 1) * limit,
        limit=limit,
    )


def read_ids(text: str) -> tuple[UUID, ...]:
    """Ids that nobody can have stand for nothing, like those that nobody has."""
    parts = _split(text)
    if len(parts) > MOST_IDS:
        raise BadRequest(f"service_request_id names at most {MOST_IDS}")
    return tuple(identifier for identifier in map(read_id, parts) if identifier is not None)


def read_id(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _read_span(given: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    """The latest ninety days, or ninety days from the one end that is given."""
    start = read_instant("start_date", given["start_date"]) if "start_date" in given else None
    end = read_instant("end_date", given["end_date"]) if "end_date" in given else None
    if start is None:
        end = end or now
        return max(EARLIEST, end - LONGEST_SPAN), end
    end = end or start + LONGEST_SPAN
    if end < start or end - start > LONGEST_SPAN:
        raise BadRequest("start_date and end_date span at most 90 days, the earlier one first")
    return start, end


def _read_page(given: Mapping[str, str]) -> tuple[int, int]:
    limit = _whole("page_size", given.get("page_size"), MOST_REQUESTS, most=MOST_REQUESTS)
    return limit, _whole("page", given.get("page"), 1, most=MOST_REQUESTS)


def _whole(name: str, text: str | None, default: int, *, most: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"[1-9]\d{0,5}", text, re.ASCII) or int(text) > most:
        raise BadRequest(f"{name} is a whole number from 1 to {most}")
    return int(text)
