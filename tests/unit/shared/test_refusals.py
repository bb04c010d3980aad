"""Refusals of those who were known once: told, but never more than somebody can read."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.access.refusals import MOST_A_MINUTE, TOLD_AGAIN_SECONDS, KnownOnce, Refusals
from shared.access.tokens import explain
from tests.unit.shared.test_tokens import AUDIENCE, KEY, NOW, sign


class Clock:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def known(number: int = 1, reason="session-ended") -> KnownOnce:
    return KnownOnce(reason=reason, object_type="session", object_id=f"session-{number}", actor="li.na")


def test_the_first_is_told_and_later_how_many_there_were():
    clock = Clock()
    refusals = Refusals(clock=clock)

    told = [refusals.count(known()) for _ in range(50)]
    clock.seconds += TOLD_AGAIN_SECONDS

    assert told == [0] + [None] * 49
    assert refusals.count(known()) == 49
    assert refusals.count(known(reason="session-over")) == 0  # something else is something new


def test_a_thousand_of_them_do_not_fill_the_audit():
    clock = Clock()
    refusals = Refusals(clock=clock)

    told = [refusals.count(known(number)) for number in range(1_000)]
    clock.seconds += 60

    assert sum(one is not None for one in told) == MOST_A_MINUTE
    assert refusals.count(known(999)) == 1  # what found no room is told with the next


def test_a_token_of_ours_is_explained_and_nothing_else_is():
    def told(token):
        return explain(token, (KEY,), audience=AUDIENCE)

    header, claims, signature = sign().split(".")
    raised = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"client_id": "administrator"}
    forged = base64.urlsafe_b64encode(json.dumps(raised).encode()).rstrip(b"=").decode()
    foreign = Ed25519PrivateKey.generate()

    assert told(sign({"exp": int(NOW.timestamp()) + 1})) == ("hotline", "token-expired")
    assert told(sign({"aud": "urn:lianxin:notify"})) == ("hotline", "wrong-audience")
    assert told(f"{header}.{forged}.{signature}") is None
    assert told(sign(key=foreign)) is None
    assert told(sign({"aud": ["a", "b"]})) is None
    assert told(sign({"iat": 10**30})) is None
    assert told("no token") is None
