"""Sessions and tokens at the door: what is believed, for how long, and what a foreign page cannot make a browser do."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

import pytest
from typing_extensions import override

from shared.access.authenticator import CrossSite, SessionsAndTokens, digest_of
from shared.access.principal import Asked, Grant, Principal
from shared.access.store import IdentityStore
from shared.errors import Unauthenticated

if TYPE_CHECKING:
    from shared.database import Pool

SESSION = "s" * 43
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


class Identity(IdentityStore):
    """The store over rows of a test instead of a database, with a clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(cast("Pool", None), clock=lambda: self.seconds)
        self.sessions: dict[bytes, dict[str, Any]] = {}
        self.asked = 0
        self.waited = 0
        self.slowness = 0.0

    @override
    def get_session(self, digest: bytes, *, now: datetime) -> Principal | None:
        self.waited += 1
        return super().get_session(digest, now=now)

    @override
    def _ask(self, query: str, parameters: Sequence[object]) -> list[dict[str, Any]]:
        self.asked += 1
        time.sleep(self.slowness)
        row = self.sessions.get(cast("bytes", parameters[0])) if "resolve_session" in query else None
        return [row] if row else []


@pytest.fixture
def identity():
    store = Identity()
    store.sessions[digest_of(SESSION)] = {
        "account_id": uuid4(),
        "name": "li.na",
        "person_id": "p-1",
        "staff_number": "S1",
        "session_id": uuid4(),
        "stepped_up_at": None,
        "grants": [{"role": "clerk", "organisation_code": "town"}, {"role": "cadre", "organisation_code": None}],
    }
    return store


@pytest.fixture
def ask(identity):
    door = SessionsAndTokens(
        identity,
        audience="urn:lianxin:intake",
        allowed_origins=["https://pages.example.org"],
        clock=lambda: NOW,
    )

    def send(method="GET", cookie=f"__Host-lianxin={SESSION}", **headers):
        named = {name.replace("_", "-"): value for name, value in {"host": "lianxin.example.org", **headers}.items()}
        cookies = (cookie,) if isinstance(cookie, str) else cookie
        return asyncio.run(door.authenticate(Asked(method=method, headers=named, cookies=cookies)))

    return send


def test_a_session_is_who_the_identity_database_says(ask):
    principal = ask()

    assert isinstance(principal.session_id, UUID)
    assert (principal.name, principal.kind, principal.staff_number) == ("li.na", "person", "S1")
    assert principal.grants == (Grant(role="clerk", organisation_code="town"), Grant(role="cadre"))


def test_an_answer_is_believed_for_two_seconds_and_no_longer(ask, identity):
    ask()
    identity.sessions.clear()
    identity.seconds = 1.9
    ask()
    assert identity.asked == 1

    identity.seconds = 2.0
    with pytest.raises(Unauthenticated):
        ask()


def test_a_changed_role_holds_after_two_seconds(ask, identity):
    ask()
    identity.sessions[digest_of(SESSION)]["grants"] = []
    identity.seconds = 2.0

    assert ask().grants == ()


def test_many_requests_ask_the_database_once(ask, identity):
    for _ in range(50):
        ask()

    assert identity.asked == 1


def test_of_many_requests_that_miss_the_same_answer_at_once_one_takes_a_thread(identity):
    identity.slowness = 0.05
    door = SessionsAndTokens(identity, audience="urn:lianxin:intake", clock=lambda: NOW)
    asked = Asked(method="GET", headers={}, cookies=(f"__Host-lianxin={SESSION}",))

    async def ask_all() -> list[Principal]:
        return list(await asyncio.gather(*(door.authenticate(asked) for _ in range(100))))

    assert {principal.name for principal in asyncio.run(ask_all())} == {"li.na"}
    assert identity.waited == 1


def test_who_goes_away_while_the_answer_is_under_way_takes_it_from_nobody(identity):
    identity.slowness = 0.05
    door = SessionsAndTokens(identity, audience="urn:lianxin:intake", clock=lambda: NOW)
    asked = Asked(method="GET", headers={}, cookies=(f"__Host-lianxin={SESSION}",))

    async def ask_both() -> Principal:
        first, second = (asyncio.create_task(door.authenticate(asked)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(ask_both()).name == "li.na"


def test_of_many_who_miss_the_same_answer_at_once_one_asks(identity):
    digest = digest_of(SESSION)
    identity.slowness = 0.05
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: identity.get_session(digest, now=NOW), range(32)))

    assert (identity.asked, len({principal.session_id for principal in found})) == (1, 1)


@pytest.mark.parametrize(
    "cookie",
    [
        (),
        "",
        "__Host-lianxin=",
        "__Host-lianxin=short",
        f"__Host-lianxin={SESSION}x",
        f"__Host-lianxin={'é' * 43}",
        f"__host-lianxin={SESSION}",
        f"lianxin={SESSION}",
        f"__Host-lianxin={SESSION}; __Host-lianxin={'t' * 43}",
        (f"__Host-lianxin={SESSION}", f"__Host-lianxin={SESSION}"),
        f"__Host-lianxin={'t' * 43}",
    ],
)
def test_any_other_cookie_is_nobody(ask, cookie):
    with pytest.raises(Unauthenticated):
        ask(cookie=cookie)


def test_a_bearer_token_goes_before_the_cookie_also_a_bad_one(ask):
    for authorization in ("Bearer " + "x" * 40, "Basic bGluYTpsaW5h", "Bearer", ""):
        with pytest.raises(Unauthenticated):
            ask(authorization=authorization)


def test_a_change_takes_the_header_that_no_foreign_form_can_set(ask):
    with pytest.raises(CrossSite):
        ask("POST")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert ask(method, x_lianxin_request="1").name == "li.na"
    with pytest.raises(CrossSite):
        ask("POST", x_lianxin_request="0")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://["},
        {"origin": "https://[::1"},
        {"origin": "https://lianxin.example.org.evil.example"},
        {"origin": "https://evil.example/lianxin.example.org"},
        {"origin": "https://lianxin.example.org@evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://lianxin.example.org", "sec_fetch_site": "cross-site"},
    ],
)
def test_a_change_that_a_foreign_page_asked_for_is_refused(ask, headers):
    with pytest.raises(CrossSite):
        ask("POST", x_lianxin_request="1", **headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://lianxin.example.org", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "https://pages.example.org", "sec_fetch_site": "cross-site"},
    ],
)
def test_a_change_that_a_page_of_ours_asked_for_is_done(ask, headers):
    assert ask("POST", x_lianxin_request="1", **headers).name == "li.na"


def test_reading_takes_no_more_than_the_cookie(ask):
    assert ask("GET", origin="https://evil.example", sec_fetch_site="cross-site").name == "li.na"


def test_what_was_not_there_is_remembered_without_end_of_memory(identity):
    for number in range(10_500):
        identity.get_session(number.to_bytes(32, "big"), now=NOW)

    assert len(identity._sessions._kept) == 10_000
