"""Every event version has a stored sample that this release still reads and would still write."""

from pathlib import Path

import jsonschema
import orjson
import pytest

from shared.asyncapi import build_document
from shared.contracts.base import Event
from shared.contracts.envelope import BY_TYPE, EVENTS, MalformedEvent, UnknownEvent, decode, encode

SAMPLES = Path(__file__).parent / "samples"
ROOT = Path(__file__).parents[2]


def sample_of(event_type: str) -> bytes:
    return (SAMPLES / f"{event_type.removeprefix('cn.lianxin.')}.json").read_bytes()


@pytest.mark.parametrize("event_type", BY_TYPE)
def test_a_stored_sample_is_still_read(event_type):
    envelope = decode(sample_of(event_type))

    assert envelope.event.type == event_type
    assert envelope.sequence == 1


@pytest.mark.parametrize("event_type", BY_TYPE)
def test_what_is_written_today_equals_the_stored_sample(event_type):
    stored = orjson.loads(sample_of(event_type))
    envelope = decode(sample_of(event_type))

    written = encode(
        event_id=envelope.event_id,
        event_type=envelope.event.type,
        source=stored["source"],
        subject=f"{envelope.event.aggregate}/{envelope.event.aggregate_id}",
        sequence=envelope.sequence,
        recorded_at=envelope.recorded_at,
        correlation_id=envelope.correlation_id,
        data=orjson.Fragment(envelope.event.model_dump_json(exclude_none=True)),
    )

    assert orjson.loads(written) == stored


@pytest.mark.parametrize("event_type", BY_TYPE)
def test_unknown_fields_are_ignored(event_type):
    document = orjson.loads(sample_of(event_type))
    document["data"]["a_field_of_a_later_release"] = {"deep": [1]}
    document["futureattribute"] = "x"

    assert decode(orjson.dumps(document)).event == decode(sample_of(event_type)).event


@pytest.mark.parametrize("event_type", BY_TYPE)
def test_a_sample_satisfies_the_published_document(event_type):
    document = build_document()
    payload = document["components"]["messages"][BY_TYPE[event_type].__name__]["payload"]

    jsonschema.validate(orjson.loads(sample_of(event_type)), {**payload, "components": document["components"]})


def test_every_sample_belongs_to_an_event():
    assert {f"cn.lianxin.{file.stem}" for file in SAMPLES.glob("*.json")} == set(BY_TYPE)


def test_the_published_document_is_up_to_date():
    assert orjson.loads((ROOT / "docs" / "asyncapi.json").read_bytes()) == orjson.loads(orjson.dumps(build_document()))


def test_names_of_events_agree_with_one_another():
    for event in EVENTS:
        subject = event.type.removeprefix("cn.lianxin.")
        assert event.key.endswith(subject)
        assert (event.identified_by or f"{event.aggregate}_id") in event.model_fields


def test_a_newer_version_is_unknown_and_not_malformed():
    document = orjson.loads(sample_of("cn.lianxin.contact.recorded.v1")) | {"type": "cn.lianxin.contact.recorded.v2"}

    with pytest.raises(UnknownEvent):
        decode(orjson.dumps(document))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"specversion":"1.0"}',
        b"[" * 100_000,
        b'{"specversion":"0.3","type":"cn.lianxin.contact.recorded.v1"}',
        b'{"specversion":"1.0","type":7}',
    ],
)
def test_a_malformed_message_is_told_apart(body):
    with pytest.raises(MalformedEvent):
        decode(body)


@pytest.mark.parametrize("attribute", ["id", "sequence", "time", "correlationid"])
@pytest.mark.parametrize("value", [5, None, True, [], {}, "\0", "9" * 5_000])
def test_an_attribute_of_the_wrong_kind_is_malformed(attribute, value):
    document = orjson.loads(sample_of("cn.lianxin.contact.recorded.v1")) | {attribute: value}

    with pytest.raises(MalformedEvent):
        decode(orjson.dumps(document))


@pytest.mark.parametrize("sequence", ["0", "-1", "9" * 30, "1.0"])
def test_a_sequence_out_of_range_is_malformed(sequence):
    document = orjson.loads(sample_of("cn.lianxin.contact.recorded.v1")) | {"sequence": sequence}

    with pytest.raises(MalformedEvent):
        decode(orjson.dumps(document))


def test_a_time_beyond_the_calendar_is_malformed():
    document = orjson.loads(sample_of("cn.lianxin.contact.recorded.v1")) | {"time": "0001-01-01T00:00:00+23:00"}

    with pytest.raises(MalformedEvent):
        decode(orjson.dumps(document))


def test_only_a_real_nul_character_is_refused_in_data():
    document = orjson.loads(sample_of("cn.lianxin.contact.recorded.v1"))
    document["data"]["place_code"] = "\\u0000"
    assert orjson.loads(decode(orjson.dumps(document)).raw_data)["place_code"] == "\\u0000"

    document["data"]["place_code"] = "\\\0"
    with pytest.raises(MalformedEvent):
        decode(orjson.dumps(document))


def test_data_that_does_not_fit_is_malformed_and_not_echoed():
    document = orjson.loads(sample_of("cn.lianxin.rating.submitted.v1"))
    document["data"]["level"] = "13800001111"

    with pytest.raises(MalformedEvent) as caught:
        decode(orjson.dumps(document))

    assert "level" in caught.value.detail
    assert "13800001111" not in caught.value.detail


def test_an_event_is_made_ready_by_the_first_that_comes():
    class Late(Event):
        number: int

    is_ready_before = Late.__pydantic_complete__
    read = Late.model_validate_json(b'{"number": 7}')

    assert not is_ready_before
    assert (read.number, Late.__pydantic_complete__) == (7, True)
