"""The page on which citizens rate by a link: the same for everybody, with no name of a citizen, cadre or unit on it.

The link is /rate#TOKEN. What stands behind # is sent to no server, so no log, proxy or scanner of links ever gets it;
a script of ours moves it into the form. Without script the token can be pasted there. Sending the form records nothing
yet: it shows the answers, and a second form, which proves that they were shown, records them.
"""

import html
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from services.intake.domain.ratings import LONGEST_COMMENT, Answers
from services.intake.handlers import rating_links
from services.intake.handlers.rating_links import GivenRating, LinkNotUsable
from services.intake.handlers.rating_pages import StalePage, check_stamp, stamp
from shared.database import Pool
from shared.edge import check_text
from shared.errors import Rejected, TooMany
from shared.http import AppPool, leave_open, network_behind, take_routes
from shared.observability import correlation_id

if TYPE_CHECKING:
    from services.intake.domain.rating_rules import RatingRules

router = APIRouter()
FORM_PATH: Final = "/rate"
CONFIRMATION_PATH: Final = "/rate/confirmation"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
LONGEST_TOKEN = 1_000
SOLVED: Final = {"": None, "yes": True, "no": False}
LEVELS: Final = {"": None, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
FIELDS: Final = ("token", "level", "solved", "attitude", "speed", "comment")
WORDS: Final = {"1": "非常不满意", "2": "不满意", "3": "基本满意", "4": "满意", "5": "非常满意"}
_HERE = Path(__file__).parent
_PAGE, _CONFIRM, _ANSWER, _SCRIPT, _STYLE = (
    (_HERE / name).read_text("utf-8") for name in ("rate.html", "confirm.html", "answer.html", "rate.js", "rate.css")
)
anybody = Depends(leave_open("link.use"))
Form = dict[str, str]


class BadForm(Rejected):
    code = "invalid-form"


def add_pages(app: FastAPI) -> None:
    """Looking at any of it records nothing: HEAD and GET know no token, and the first form only shows the second."""
    take_routes(app, router)


def _add_file(path: str, text: str, kind: str) -> None:
    @router.api_route(path, methods=["GET", "HEAD"], include_in_schema=False, dependencies=[anybody])
    def get_file() -> Response:
        return _respond(text, kind=kind)


async def _read_body(request: Request) -> bytes:
    return await request.body()


_add_file("/rate.js", _SCRIPT, "text/javascript")
_add_file("/rate.css", _STYLE, "text/css")


@router.api_route(FORM_PATH, methods=["GET", "HEAD"], include_in_schema=False, dependencies=[anybody])
def get_page() -> Response:
    return _respond(_PAGE.replace("{page}", stamp("rating-page", datetime.now(UTC))))


@router.post(FORM_PATH, include_in_schema=False, dependencies=[anybody])
def show_answers(request: Request, body: Annotated[bytes, Depends(_read_body)], pool: AppPool) -> Response:
    now = datetime.now(UTC)

    def show() -> Response:
        form = read_form(body, "page")
        read_answers(form)
        opened_at = check_stamp("rating-page", form["page"], now=now)
        rating_links.look_at_link(pool, form["token"], now=now)
        return _confirm(form, opened_at)

    return _guarded(request, pool, now, show, root="")


@router.post(CONFIRMATION_PATH, include_in_schema=False, dependencies=[anybody])
def post_rating(request: Request, body: Annotated[bytes, Depends(_read_body)], pool: AppPool) -> Response:
    now = datetime.now(UTC)
    rules: RatingRules = request.app.state.rating_rules

    def rate() -> Response:
        form = read_form(body, "shown")
        answers = read_answers(form)
        opened_at = check_stamp("rating-confirmation", form["shown"], now=now, shown=_shown(form))
        given = GivenRating(token=form["token"], answers=answers, opened_at=opened_at, network=network_behind(request))
        rating_links.rate_by_link(pool, given, rules=rules, correlation_id=correlation_id(), now=now)
        hours = int(rules.amend_for.total_seconds() // 3_600)
        text = f"您的评价已记录，{hours}小时内可用同一链接修改。" if hours else "您的评价已记录。"
        return _answer(201, "感谢您的评价", text, root="../")

    return _guarded(request, pool, now, rate, root="../")


def _guarded(request: Request, pool: Pool, now: datetime, run: Callable[[], Response], *, root: str) -> Response:
    """What goes wrong is told as a page; of a link that cannot be used, in the same words whatever the reason is."""
    try:
        rating_links.count_try(pool, network_behind(request), now=now)
        return run()
    except BadForm:
        return _answer(422, "请选择评分", "请返回上一页，选择一到五分后再提交；补充说明不超过五百字。", root=root)
    except StalePage:
        return _answer(422, "页面已失效", "请重新打开链接后再评价。", root=root)
    except LinkNotUsable:
        return _answer(404, "链接无法使用", "此链接无效、已使用或已过期。", root=root)
    except TooMany as error:
        answer = _answer(429, "请稍后再试", "短时间内请求过多，请一分钟后再试。", root=root)
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
        return answer


def read_form(body: bytes, proof: str) -> Form:
    """Raises BadForm for anything that the page does not send."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=len(FIELDS) + 1,
        )
    except ValueError:
        raise BadForm("this form is not one of ours") from None
    form = dict(pairs)
    if len(form) != len(pairs) or not form.keys() <= {*FIELDS, proof}:
        raise BadForm("this form is not one of ours")
    form = {name: form.get(name, "") for name in (*FIELDS, proof)}
    form["token"] = form["token"].strip()
    form["comment"] = form["comment"].replace("\r\n", "\n").strip()
    if len(form["token"]) > LONGEST_TOKEN:
        raise BadForm("this form is not one of ours")
    return form


def read_answers(form: Form) -> Answers:
    """Raises BadForm."""
    level = LEVELS.get(form["level"])
    if level is None or form["solved"] not in SOLVED or not {form["attitude"], form["speed"]} <= LEVELS.keys():
        raise BadForm("a level is one of 1 to 5")
    try:
        comment = check_text(form["comment"])
    except ValueError:
        raise BadForm("the comment holds what no text has") from None
    if len(comment) > LONGEST_COMMENT:
        raise BadForm("the comment is too long")
    return Answers(
        level=level,
        solved=SOLVED[form["solved"]],
        attitude=LEVELS[form["attitude"]],
        speed=LEVELS[form["speed"]],
        comment=comment or None,
    )


def _confirm(form: Form, opened_at: datetime) -> Response:
    solved = {"yes": "已解决", "no": "未解决", "": "不确定"}[form["solved"]]
    told = [("总体满意程度", WORDS[form["level"]]), ("问题是否解决", solved)]
    told += [
        (title, WORDS[form[name]]) for name, title in (("attitude", "服务态度"), ("speed", "办理速度")) if form[name]
    ]
    if form["comment"]:
        told.append(("补充说明", form["comment"]))
    answers = "".join(f"<dt>{title}</dt><dd>{_escaped(text)}</dd>" for title, text in told)
    proof = stamp("rating-confirmation", opened_at, _shown(form))
    values = {**{name: form[name] for name in FIELDS}, "shown": proof}
    fields = "\n".join(
        f'<input type="hidden" name="{name}" value="{_escaped(value)}">' for name, value in values.items()
    )
    return _respond(_CONFIRM.replace("{answers}", answers).replace("{fields}", fields))


def _escaped(text: str) -> str:
    """Also against our own places to fill, which a comment could name."""
    return html.escape(text).replace("{", "&#123;")


def _shown(form: Form) -> str:
    return repr([form[name] for name in FIELDS])


def _answer(status: int, title: str, text: str, *, root: str) -> Response:
    page = _ANSWER.replace("{title}", title).replace("{text}", text).replace("{root}", root)
    return _respond(page, status=status)


def _respond(text: str, *, status: int = 200, kind: str = "text/html") -> Response:
    return Response(text, status, {"Content-Security-Policy": POLICY}, f"{kind}; charset=utf-8")
