"""Which task messages are plain nudges: what our own Celery writes is one, and nothing else that can be made up."""

import json
import uuid

import pytest

from shared.nudges import LONGEST_BODY_BYTES, REASONS, NoNudge, read_nudge
from shared.worker import make_celery

JSON = "application/json", "utf-8"
ID = str(uuid.UUID(int=5))
BODY = b'[[], {"word": "a"}, {}]'
SOON = "2199-01-01T00:00:00+00:00"  # the same in every process that collects the tests


def probe(word):
    raise AssertionError(word)


def read(body=BODY, content=JSON, **headers):
    return read_nudge(body, {"task": "probe", "id": ID} | headers, content=content, tasks={"probe": probe})


def write(**options):
    """The message that Celery itself would send."""
    app = make_celery("notify")
    message = app.amqp.as_task_v2(str(uuid.uuid4()), "probe", (), {"word": "a"}, **options)
    return json.dumps(message.body), message.headers


@pytest.mark.parametrize("options", [{}, {"expires": 60}, {"expires": 0.5}])
def test_what_our_own_celery_writes_is_a_nudge(options):
    body, headers = write(**options)

    plain = read_nudge(body, headers, content=JSON, tasks={"probe": probe})

    assert (plain["task"], plain["id"]) == ("probe", headers["id"])
    assert ("expires" in plain) == bool(options)


@pytest.mark.parametrize("options", [{"countdown": 5}, {"chain": ["x"]}, {"callbacks": ["x"]}, {"group_id": "x"}])
def test_what_our_own_celery_writes_for_more_than_a_nudge_is_none(options):
    body, headers = write(**options)

    with pytest.raises(NoNudge):
        read_nudge(body, headers, content=JSON, tasks={"probe": probe})


def test_headers_that_nobody_reads_do_not_reach_celery():
    plain = read(expires=SOON, timelimit=["x", "y"], retries="x", is_eager=True, argsrepr=5, stamps=5, args=5)

    assert set(plain) == {"lang", "task", "id", "expires"}


@pytest.mark.parametrize(
    "headers",
    [
        {"task": None},
        {"task": 5},
        {"task": ["probe"]},
        {"task": "os.system"},
        {"task": "celery.map"},
        {"id": None},
        {"id": 1},
        {"id": [1]},
        {"id": "x"},
        {"eta": SOON},
        {"shadow": "x"},
        {"chain": []},
        {"expires": "x"},
        {"expires": 5.0},
        {"expires": "0001-01-01T00:00:00+14:00"},
        {"expires": "9999-12-31T23:59:59-14:00"},
    ],
    ids=str,
)
def test_no_nudge_has_such_headers(headers):
    with pytest.raises(NoNudge) as caught:
        read(**headers)

    assert caught.value.detail in REASONS


@pytest.mark.parametrize(
    "content", [("application/x-python-serialize", "binary"), ("application/json", "utf-16"), (None, None)], ids=str
)
def test_no_nudge_is_anything_but_json(content):
    with pytest.raises(NoNudge, match="content-type"):
        read(content=content)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[" * 10_000,
        b"null",
        b"5",
        b"{}",
        b"[]",
        b'[["a"], {}, {}]',
        b'[[], ["a"], {}]',
        b'[[], {"word": "a"}, 5]',
        b'[[], {"word": "a"}, null]',
        b'[[], {"word": "a"}, {"callbacks": [{"task": "probe"}]}]',
        b'[[], {"word": "a"}, {"is_eager": null}]',
        b'[[], {"word": 5}, {}]',
        b'[[], {"word": {"__type__": "uuid", "__value__": {}}}, {}]',
        b"[[], {}, {}]",
        b'[[], {"word": "a", "other": "b"}, {}]',
        b'[[], {"word": "%s"}, {}]' % (b"x" * LONGEST_BODY_BYTES),
    ],
    ids=lambda body: body[:30].decode(errors="replace"),
)
def test_no_nudge_has_such_a_body(body):
    with pytest.raises(NoNudge) as caught:
        read(body)

    assert caught.value.detail in REASONS
