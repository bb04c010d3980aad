"""The look of our pages and the environment that renders them: a service's own templates within the common frame."""

from pathlib import Path
from typing import Final

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent
STYLE: Final = (_HERE / "style.css").read_bytes()
PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With no-referrer a browser would send our own forms from the origin "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Language, Cookie",
}
# Of pages that have a script of ours, which may ask our own addresses and writes no markup.
SCRIPTED_HEADERS: Final = {
    **PAGE_HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
}


def make_environment(templates: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader([templates, _HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def root_of(request: Request) -> str:
    """The way up to where this service begins: relative, since a proxy may put it below a path of its own."""
    return "../" * (request.url.path.count("/") - 1) or "./"
