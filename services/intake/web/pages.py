"""The page on which citizens rate by a link: the same for everybody, with no name of a citizen, cadre or unit on it.

The link is /rate#TOKEN. What stands behind # is sent to no server, so no log, proxy or scanner of links ever gets it;
a script of ours moves it into the form. Without script the token can be pasted there.
"""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends, FastAPI, Request, Response

from services.intake.handlers import rating_links
from services.intake.handlers.rating_links import GivenRating, LinkNotUsable
from shared.database import Pool
from shared.errors import Rejected, TooMany
from shared.http import leave_open, network_behind
from shared.observability import correlation_id

FORM_PATH: Final = "/rate"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
LONGEST_TOKEN = 1_000
SOLVED: Final = {"": None, "yes": True, "no": False}
FIELDS: Final = {"token", "level", "solved"}
_HERE = Path(__file__).parent
_PAGE, _ANSWER, _SCRIPT, _STYLE = (
    (_HERE / name).read_text("utf-8") for name in ("rate.html", "answer.html", "rate.js", "rate.css")
)
anybody = Depends(leave_open("link.use"))


class BadForm(Rejected):
    code = "invalid-form"


def add_pages(app: FastAPI, pool: Pool) -> None:
    """Looking at any of it records nothing: HEAD and GET know no token."""
    _add_file(app, FORM_PATH, _PAGE, "text/html")
    _add_file(app, "/rate.js", _SCRIPT, "text/javascript")
    _add_file(app, "/rate.css", _STYLE, "text/css")

    @app.post(FORM_PATH, include_in_schema=False, dependencies=[anybody])
    def post_rating(request: Request, body: Annotated[bytes, Depends(_read_body)]) -> Response:
        now = datetime.now(UTC)
        try:
            rating_links.count_try(pool, network_behind(request), now=now)
            rating_links.rate_by_link(pool, read_form(body), correlation_id=correlation_id(), now=now)
        except BadForm:
            return _answer(422, "请选择评分", "请返回上一页，选择一到五分后再提交。")
        except LinkNotUsable:
            return _answer(404, "链接无法使用", "此链接无效、已使用或已过期。")
        except TooMany as error:
            answer = _answer(429, "请稍后再试", "短时间内请求过多，请一分钟后再试。")
            answer.headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
            return answer
        return _answer(201, "感谢您的评价", "您的评价已记录，每个链接只能评价一次。")


def _add_file(app: FastAPI, path: str, text: str, kind: str) -> None:
    @app.api_route(path, methods=["GET", "HEAD"], include_in_schema=False, dependencies=[anybody])
    def get_file() -> Response:
        return _respond(text, kind=kind)


def read_form(body: bytes) -> GivenRating:
    """Raises BadForm for anything that the page does not send."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=3
        )
    except ValueError:
        raise BadForm("this form is not one of ours") from None
    form = dict(pairs)
    level, solved, token = form.get("level", ""), form.get("solved", ""), form.get("token", "").strip()
    if len(form) != len(pairs) or not form.keys() <= FIELDS or len(token) > LONGEST_TOKEN:
        raise BadForm("this form is not one of ours")
    if level not in {"1", "2", "3", "4", "5"} or solved not in SOLVED:
        raise BadForm("a level is one of 1 to 5")
    return GivenRating(token=token, level=int(level), solved=SOLVED[solved])


async def _read_body(request: Request) -> bytes:
    return await request.body()


def _answer(status: int, title: str, text: str) -> Response:
    return _respond(_ANSWER.replace("{title}", title).replace("{text}", text), status=status)


def _respond(text: str, *, status: int = 200, kind: str = "text/html") -> Response:
    return Response(text, status, {"Content-Security-Policy": POLICY}, f"{kind}; charset=utf-8")
