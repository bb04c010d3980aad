"""Sessions and tokens as the demo and the harness hold them: asked for when needed, and anew when one is refused."""

import json
from collections.abc import Iterator

import httpx
import pytest

from demo.credentials import Asking, Machine, NotLetIn, Person, identity_client


class Identity:
    """Gives numbered tokens and sessions, and remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.given = 0
        self.must_change = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path == "/v1/oauth2/token":
            assert request.headers["Authorization"].startswith("Basic ")
            assert b"resource=urn%3Alianxin%3Aintake" in request.content
            self.given += 1
            return httpx.Response(200, json={"access_token": f"token-{self.given}", "expires_in": 600})
        assert request.headers["X-Lianxin-Request"] == "1"
        if request.url.path == "/v1/sign-in" and self.must_change:
            cookie = "__Host-lianxin-sign-in=begun; Path=/; Secure"
            return httpx.Response(200, json={"status": "new-password-needed"}, headers={"Set-Cookie": cookie})
        if request.url.path == "/v1/sign-in/new-password":
            assert request.headers["Cookie"] == "__Host-lianxin-sign-in=begun"
            assert json.loads(request.content) == {"new_password": "chosen"}
        self.given += 1
        cookies = [("Set-Cookie", f"__Host-lianxin=session-{self.given}; Path=/; Secure; HttpOnly")]
        cookies.append(("Set-Cookie", "__Host-lianxin-sign-in=; Path=/; Secure; Max-Age=0"))
        return httpx.Response(200, json={"status": "signed-in"}, headers=cookies)


@pytest.fixture
def identity() -> Identity:
    return Identity()


@pytest.fixture
def door(identity: Identity) -> Iterator[httpx.Client]:
    with identity_client("http://identity.test", httpx.MockTransport(identity)) as client:
        yield client


def test_a_machine_asks_for_a_token_once(identity: Identity, door: httpx.Client) -> None:
    machine = Machine(door, client_id="importer", secret="lxs_word", service="intake")

    assert [machine.headers() for _ in range(3)] == [{"Authorization": "Bearer token-1"}] * 3
    assert identity.asked == ["/v1/oauth2/token"]


def test_a_person_signs_in_once_and_again_when_told_to(door: httpx.Client) -> None:
    person = Person(door, name="officer", password="word")

    first = person.headers()
    person.forget()

    assert first == {"Cookie": "__Host-lianxin=session-1", "X-Lianxin-Request": "1"}
    assert person.headers()["Cookie"] == "__Host-lianxin=session-2"


def test_the_first_sign_in_chooses_a_password(identity: Identity, door: httpx.Client) -> None:
    identity.must_change = True
    person = Person(door, name="officer", password="chosen")

    person.begin("one-time")

    assert identity.asked == ["/v1/sign-in", "/v1/sign-in/new-password"]
    assert person.headers()["Cookie"] == "__Host-lianxin=session-1"


def test_whoever_must_change_the_password_is_not_in(identity: Identity, door: httpx.Client) -> None:
    identity.must_change = True

    with pytest.raises(NotLetIn, match="new-password-needed"):
        Person(door, name="officer", password="one-time").headers()


def test_two_people_do_not_share_a_session(door: httpx.Client) -> None:
    one, other = Person(door, name="one", password="a"), Person(door, name="other", password="b")

    assert one.headers()["Cookie"] != other.headers()["Cookie"]
    assert list(door.cookies.jar) == []


def test_a_refused_token_is_renewed_and_the_request_repeated(door: httpx.Client) -> None:
    seen = []

    def service(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200 if request.headers["Authorization"] == "Bearer token-2" else 401)

    machine = Machine(door, client_id="importer", secret="lxs_word", service="intake")
    with httpx.Client(transport=httpx.MockTransport(service), auth=Asking(machine)) as client:
        answer = client.get("http://intake.test/v1/contacts")

    assert answer.status_code == 200
    assert seen == ["Bearer token-1", "Bearer token-2"]
