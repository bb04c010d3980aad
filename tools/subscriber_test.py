"""Try a receiver of webhooks before it meets the suite, and say which deliveries it answers rightly.

    python3 subscriber_test.py https://partner.example.cn/hook --key whsec_...
    python3 subscriber_test.py https://partner.example.cn/hook --key whsk_... --other-key whsk_...
    python3 subscriber_test.py --make-keys

The receiver verifies by the secret that is given here (`whsec_`), or by the public half (`whpk_`) of the private key
that is given here (`whsk_`): `--make-keys` makes a pair for the trial, since the suite's private keys never leave it.
With `--other-key` the receiver is told of two keys, as in the hours of a rotation.

What it is sent tells of nothing: events of the type cn.lianxin.webhook.tested.v1. Nothing is sent anywhere else.
It needs Python 3.11 and nothing else, but for `whsk_` keys the package `cryptography`.
Ends with 0: all answered rightly, 1: some were not, 2: could not be tried.
"""

import argparse
import base64
import hashlib
import hmac
import http.client
import json
import os
import ssl
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

RIGHT, WRONG, UNTRIED = 0, 1, 2
SECONDS = 20.0
LARGEST_ANSWER = 64 * 1024
ORIGIN = "lianxin.localhost"
Sign = Callable[[bytes], str]


class Untried(Exception):
    """What is needed for a trial is not there."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    seconds: float
    size: int


@dataclass(frozen=True)
class Trial:
    """One request, and whether it must be taken (2xx) or must not."""

    name: str
    is_taken: bool
    headers: dict[str, str]
    body: bytes
    why: str = ""


@dataclass
class Target:
    url: str
    ca_file: str | None = None
    seconds: float = SECONDS
    _context: ssl.SSLContext | None = field(default=None, repr=False)

    def send(self, method: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Raises OSError, http.client.HTTPException."""
        parts = urlsplit(self.url)
        connection = self._connect(parts.scheme, parts.hostname or "", parts.port)
        begun = time.monotonic()
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
            size = len(response.read(LARGEST_ANSWER + 1))
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, time.monotonic() - begun, size)
        finally:
            connection.close()

    def _connect(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme == "https":
            self._context = self._context or ssl.create_default_context(cafile=self.ca_file)
            return http.client.HTTPSConnection(host, port, timeout=self.seconds, context=self._context)
        if scheme == "http" and host in {"127.0.0.1", "::1", "localhost"}:
            return http.client.HTTPConnection(host, port, timeout=self.seconds)
        raise Untried("the suite calls https only; http is tried on this machine alone")


def read_key(text: str) -> Sign:
    """How the key signs. Raises Untried."""
    prefix, _, rest = text.partition("_")
    try:
        material = base64.b64decode(rest, validate=True)
    except ValueError:
        raise Untried("a key is whsec_ or whsk_ and base64") from None
    if prefix == "whsec" and 24 <= len(material) <= 64:
        return lambda content: "v1," + written(hmac.digest(material, content, hashlib.sha256))
    if prefix == "whsk" and len(material) == 32:
        private = private_key(material)
        return lambda content: "v1a," + written(private.sign(content))
    raise Untried("a key is whsec_ and 24 to 64 bytes in base64, or whsk_ and 32")


def private_key(material: bytes):  # type: ignore[no-untyped-def] # noqa: ANN201 - the package may not be there
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise Untried("keys of the kind whsk_ need the package cryptography") from None
    return Ed25519PrivateKey.from_private_bytes(material)


def make_keys() -> str:
    material = os.urandom(32)
    public = private_key(material).public_key().public_bytes_raw()
    return (
        f"secret, for both sides:          whsec_{written(os.urandom(32))}\n"
        f"private key, for this program:   whsk_{written(material)}\n"
        f"public key, for your receiver:   whpk_{written(public)}\n"
    )


def written(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def make_event(event_type: str = "cn.lianxin.webhook.tested.v1", *, padding: int = 0) -> tuple[str, bytes]:
    event_id, now = str(uuid.uuid4()), datetime.now(UTC).isoformat().replace("+00:00", "Z")
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/lianxin/notify",
        "type": event_type,
        "subject": f"webhook_endpoint/{event_id}",
        "time": now,
        "timestamp": now,
        "datacontenttype": "application/json",
        "sequence": "1",
        "data": {"padding": "群" * padding} if padding else {},
    }
    return event_id, json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def make_headers(event_id: str, body: bytes, signs: list[Sign], *, off_seconds: int = 0) -> dict[str, str]:
    timestamp = str(int(time.time()) + off_seconds)
    content = f"{event_id}.{timestamp}.".encode() + body
    return {
        "Content-Type": "application/cloudevents+json",
        "User-Agent": "Lianxin-Webhooks/1",
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(sign(content) for sign in signs),
    }


def list_trials(sign: Sign, other: Sign | None) -> Iterator[Trial]:
    event_id, body = make_event()
    good = make_headers(event_id, body, [sign])
    yield taken("a good delivery", good, body)
    yield taken("the very same again", good, body, "an answer was lost: take it, and do nothing twice")
    yield taken("the same event, another attempt", make_headers(event_id, body, [sign]), body)
    yield from list_forgeries(sign)
    event_id, body = make_event()
    both = make_headers(event_id, body, [stranger(), sign])
    yield taken("a new key's signature before ours", both, body, "while keys change, one that fits is enough")
    event_id, body = make_event()
    later = make_headers(event_id, body, [lambda _: "v9,AAAA", sign])
    yield taken("a version of signatures that nobody knows yet", later, body, "pass over what you do not know")
    if other is not None:
        event_id, body = make_event()
        yield taken("signed with the other key", make_headers(event_id, body, [other]), body)
    event_id, body = make_event("cn.lianxin.webhook.unheard_of.v7")
    unheard = make_headers(event_id, body, [sign])
    yield taken(
        "a type of event that you do not know", unheard, body, "later releases tell more: take it, pass over it"
    )
    event_id, body = make_event(padding=6_000)
    yield taken("a delivery of 18 KB in Chinese", make_headers(event_id, body, [sign]), body)


def list_forgeries(sign: Sign) -> Iterator[Trial]:
    event_id, body = make_event()
    good = make_headers(event_id, body, [sign])
    yield refused("a body that was altered", good, body + b" ")
    yield refused("another id than was signed", {**good, "webhook-id": str(uuid.uuid4())}, body)
    yield refused("another time than was signed", {**good, "webhook-timestamp": str(int(time.time()) + 1)}, body)
    yield refused("signed with a key that is not ours", make_headers(event_id, body, [stranger()]), body)
    for minutes, name in ((-6, "six minutes old"), (6, "six minutes from the future")):
        yield refused(f"a delivery {name}", make_headers(event_id, body, [sign], off_seconds=minutes * 60), body)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        yield refused(f"no {name}", {key: value for key, value in good.items() if key != name}, body)
    yield refused("an empty signature", {**good, "webhook-signature": ""}, body)


def taken(name: str, headers: dict[str, str], body: bytes, why: str = "") -> Trial:
    return Trial(name, is_taken=True, headers=headers, body=body, why=why)


def refused(name: str, headers: dict[str, str], body: bytes) -> Trial:
    return Trial(name, is_taken=False, headers=headers, body=body)


def stranger() -> Sign:
    return read_key("whsec_" + written(os.urandom(32)))


def find_fault(trial: Trial, answer: Answer) -> str | None:
    was_taken = 200 <= answer.status < 300
    if was_taken != trial.is_taken:
        wanted = "2xx" if trial.is_taken else "anything but 2xx, best 400 or 401"
        return f"answered {answer.status}, must be {wanted}" + (f": {trial.why}" if trial.why else "")
    if answer.status == 410:
        return "answered 410, which would switch the endpoint off for good"
    if answer.seconds > SECONDS:
        return f"took {answer.seconds:.1f} seconds, and {SECONDS:.0f} are allowed"
    if answer.size > LARGEST_ANSWER:
        return "answered with more than 64 KB"
    return None


def find_handshake_fault(answer: Answer) -> str | None:
    allowed = answer.headers.get("webhook-allowed-origin", "").strip().lower()
    if not 200 <= answer.status < 300:
        return f"answered {answer.status}, must be 2xx"
    if allowed not in {"*", ORIGIN}:
        return f"WebHook-Allowed-Origin must be * or what was asked for ({ORIGIN})"
    return None


def run(target: Target, sign: Sign, other: Sign | None) -> int:
    """Say of each trial how it went; return how many went wrong."""
    asked = target.send("OPTIONS", {"WebHook-Request-Origin": ORIGIN, "WebHook-Request-Rate": "600"})
    wrong = tell("the handshake (OPTIONS)", asked, find_handshake_fault(asked))
    for trial in list_trials(sign, other):
        answer = target.send("POST", trial.headers, trial.body)
        wrong += tell(trial.name, answer, find_fault(trial, answer))
    return wrong


def tell(name: str, answer: Answer, fault: str | None) -> int:
    word = "ok   " if fault is None else "WRONG"
    sys.stdout.write(f"{word} {name}: {fault or f'{answer.status} in {answer.seconds * 1000:.0f} ms'}\n")
    return 0 if fault is None else 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", help="where the receiver is")
    parser.add_argument("--key", "--secret", help="whsec_... or whsk_..., by which the receiver knows us")
    parser.add_argument("--other-key", help="a second one that the receiver was told of, as while keys change")
    parser.add_argument("--ca-file", help="whom the receiver's certificate is of, if no authority that all know")
    parser.add_argument("--make-keys", action="store_true", help="print keys for a trial and end")
    options = parser.parse_args(arguments)
    try:
        if options.make_keys:
            sys.stdout.write(make_keys())
            return RIGHT
        other = read_key(options.other_key) if options.other_key else None
        wrong = run(Target(options.url or "", options.ca_file), read_key(options.key or ""), other)
    except (Untried, OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"NOT TRIED {str(error) or type(error).__name__}\n")
        return UNTRIED
    sys.stdout.write("every delivery was answered rightly\n" if wrong == 0 else f"{wrong} answered wrongly\n")
    return RIGHT if wrong == 0 else WRONG


if __name__ == "__main__":
    sys.exit(main())
