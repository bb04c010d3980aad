"""The headers that every answer carries, and those of pages: what a browser may do with them, which is little."""

from collections.abc import Iterable
from typing import Final

from shared.edge import Scope

Header = tuple[bytes, bytes]

NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
ALWAYS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", NOTHING.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"accelerometer=(), camera=(), display-capture=(), fullscreen=(), geolocation=(), gyroscope=(), "
        b"magnetometer=(), microphone=(), midi=(), payment=(), usb=(), xr-spatial-tracking=()",
    ),
    (b"x-frame-options", b"DENY"),  # for browsers that do not know frame-ancestors
)
STAY_ENCRYPTED: Final[Header] = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_ENCRYPTED: Final = (*ALWAYS, STAY_ENCRYPTED)
_NAMES: Final = frozenset(name for name, _ in _ENCRYPTED)
# No origin but our own may read an answer, so no part of the suite ever sends one of these.
NEVER: Final = b"access-control-"


def complete(given: Iterable[Header], scope: Scope) -> list[Header]:
    """An answer's own headers and those that it lacks: a page names what it loads, and all else loads nothing."""
    headers = list(given)
    said = {name.lower() for name, _ in headers}
    if any(name.startswith(NEVER) for name in said):
        headers = [header for header in headers if not header[0].lower().startswith(NEVER)]
    wanted = _ENCRYPTED if _came_encrypted(scope) else ALWAYS
    if said.isdisjoint(_NAMES):  # as nearly every answer of a program's door
        return [*headers, *wanted]
    return [*headers, *(header for header in wanted if header[0] not in said)]


def page_policy(nonce: str) -> str:
    """The Content-Security-Policy of a page whose scripts carry this nonce. Nothing comes from anywhere else."""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'"
    )


def _came_encrypted(scope: Scope) -> bool:
    """Whether the browser's own link is encrypted. Who claims so without need binds nobody but itself."""
    return scope["scheme"] == "https" or (b"x-forwarded-proto", b"https") in scope["headers"]
