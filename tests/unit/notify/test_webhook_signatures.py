"""Standard Webhooks 1.0, checked by verifiers that are not ours: the reference library, and ed25519 by itself."""

import base64
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.notify.signing.webhooks import BadKey, SigningKey, make_headers, make_key, read_key

BODY = '{"type":"cn.lianxin.issue.received.v1","subject":"诉求"}'.encode()


def verify_v1(secret, headers, body=BODY):
    return Webhook(secret).verify(body.decode(), headers)


def signature_of(headers, kind):
    return [part.split(",")[1] for part in headers["webhook-signature"].split(" ") if part.startswith(f"{kind},")]


def verify_v1a(public, headers, body=BODY):
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    [signature] = signature_of(headers, "v1a")
    key.verify(base64.b64decode(signature), f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body)


def test_the_published_example_comes_out():
    key = read_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    headers = make_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at=datetime.fromtimestamp(1614265330, UTC), keys=[key]
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8))])
def test_the_reference_verifier_accepts_ours_in_whatever_zone_we_think(zone):
    key = make_key("v1")

    verify_v1(key.shown, make_headers("evt", BODY, at=datetime.now(zone), keys=[key]))


def test_the_public_half_verifies_what_the_private_half_signed():
    key = make_key("v1a")

    verify_v1a(key.shown, make_headers("evt", BODY, at=datetime.now(UTC), keys=[key]))


def test_old_and_new_keys_of_both_kinds_hold_together():
    old, new, pair = make_key("v1"), make_key("v1"), make_key("v1a")

    headers = make_headers("evt", BODY, at=datetime.now(UTC), keys=[new, old, pair])

    verify_v1(old.shown, headers)
    verify_v1(new.shown, headers)
    verify_v1a(pair.shown, headers)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_is_old_or_from_the_future_is_refused_by_the_reference(minutes):
    key = make_key("v1")
    at = datetime.now(UTC) + timedelta(minutes=minutes)

    with pytest.raises(WebhookVerificationError):
        verify_v1(key.shown, make_headers("evt", BODY, at=at, keys=[key]))


def test_any_change_of_body_id_or_time_breaks_both_signatures():
    secret, pair = make_key("v1"), make_key("v1a")
    headers = make_headers("evt", BODY, at=datetime.now(UTC), keys=[secret, pair])
    later = str(int(headers["webhook-timestamp"]) + 1)

    for changed, body in (
        (headers, BODY + b" "),
        ({**headers, "webhook-id": "evt2"}, BODY),
        ({**headers, "webhook-timestamp": later}, BODY),
    ):
        with pytest.raises(WebhookVerificationError):
            verify_v1(secret.shown, changed, body)
        with pytest.raises(InvalidSignature):
            verify_v1a(pair.shown, changed, body)


def test_a_secret_and_a_private_key_are_read_back_as_they_are_written():
    secret = make_key("v1")

    assert read_key(secret.shown) == secret
    assert read_key("whsk_" + base64.b64encode(bytes(32)).decode()).kind == "v1a"


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", "whsk_c2hvcnQ=", "whpk_AAAA", "AAAA"])
def test_what_is_no_key_is_refused_without_being_repeated(text):
    with pytest.raises(BadKey) as refusal:
        read_key(text)

    assert not text or text not in str(refusal.value)


def test_no_key_is_ever_shown_by_accident():
    key = SigningKey(kind="v1", material=b"k" * 32)

    assert "kkkk" not in repr(key)


def test_an_id_with_a_dot_is_never_signed():
    with pytest.raises(ValueError, match="without dots"):
        make_headers("a.b", BODY, at=datetime.now(UTC), keys=[make_key("v1")])


NODE_VERIFIES = """
const { Webhook } = require("standardwebhooks");
const asked = JSON.parse(require("fs").readFileSync(0, "utf-8"));
try { new Webhook(asked.secret).verify(asked.body, asked.headers); } catch (error) { process.exit(9); }
"""


def verify_in_node(secret, headers, body=BODY):
    """By npm's `standardwebhooks`, in the folder of modules that LIANXIN_TEST_NODE_MODULES names."""
    node, modules = shutil.which("node"), os.environ.get("LIANXIN_TEST_NODE_MODULES")
    if node is None or modules is None or not (Path(modules) / "standardwebhooks").is_dir():
        pytest.skip("no node at hand that knows standardwebhooks: LIANXIN_TEST_NODE_MODULES names no such folder")
    asked = json.dumps({"secret": secret, "headers": headers, "body": body.decode()})
    done = subprocess.run(
        [node, "-e", NODE_VERIFIES], input=asked, text=True, env={"NODE_PATH": modules}, check=False, timeout=30
    )
    return done.returncode


def test_the_verifier_of_another_language_accepts_ours_and_refuses_what_was_changed():
    old, new = make_key("v1"), make_key("v1")
    headers = make_headers("evt", BODY, at=datetime.now(UTC), keys=[new, old, make_key("v1a")])

    assert verify_in_node(old.shown, headers) == 0
    assert verify_in_node(new.shown, headers) == 0
    assert verify_in_node(old.shown, headers, BODY + b" ") == 9
    assert verify_in_node(make_key("v1").shown, headers) == 9
