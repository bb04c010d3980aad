"""Whether a page of ours asks for a change, as far as the browser tells."""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from shared.errors import Forbidden


class CrossSite(Forbidden):
    """A page that is not ours made the browser send this."""

    code = "cross-site"


def refuse_cross_site(headers: Mapping[str, str], *, allowed_origins: Collection[str]) -> None:
    """Raises CrossSite. Programs that are no browsers send neither header. Header names are in small letters."""
    origin = headers.get("origin")
    if origin is not None and origin in allowed_origins:
        return
    if origin is not None and _host_of(origin) != headers.get("host"):
        raise CrossSite("the request comes from a page that is not ours")
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise CrossSite("the request comes from a page that is not ours")


def _host_of(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc if parts.scheme in {"http", "https"} else None
