"""JSON bodies: reading undoes writing for every message, and whatever comes is a valid message or a problem."""

import json
from typing import Any, Final, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from protocols.language.enums import Code
from protocols.language.errors import MessageError
from protocols.language.message import Message
from protocols.language.messages import JournalPage
from protocols.language.records import RECORD_SIZE
from protocols.link.header import REPLAYED, RETRANSMIT
from protocols.link.port import Envelope
from protocols.mqtt.bodies import BY_NAME, MAX_BODY_BYTES, decode_body, encode_body, payload_of, record_of
from protocols.mqtt.status import Alarms, AlarmShown, ParameterShown, Params, Snapshot, State, Status
from protocols.mqtt.topics import DeviceTopics, topic_name
from protocols.mqtt.wire import COMMANDS, DeviceWire, HostWire, Publication
from tests.property.strategies import bodied
from tests.unit.protocols.serial.frames import encode_payload

MODELS: Final = list(BY_NAME.values())
U16: Final = st.integers(0, 0xFFFF)
FLAGS: Final = st.sampled_from([0, RETRANSMIT, REPLAYED, RETRANSMIT | REPLAYED])
TOPICS: Final = DeviceTopics("bench", "sim-7")


def valid(envelope: Envelope) -> bool:
    """Whether it holds a message; each is one that its class would build, and one that a frame could carry."""
    header, message, problem = envelope
    assert (message is None) is (problem is not None)
    assert 0 <= header.seq <= 0xFFFF and 0 <= header.link_id <= 0xFFFF and 0 <= header.correlation_id <= 0xFFFF
    if problem is not None:
        assert problem.code in (Code.E_ARGUMENT, Code.E_UNKNOWN_MESSAGE)
        assert problem.sentence.isprintable() and 0 < len(problem.sentence.encode()) <= 120
        return False
    assert message is not None
    assert message.__class__(**message.as_dict()) == message
    assert len(encode_payload(message)) <= 224
    assert (header.kind, header.message_id) == (message.KIND, message.ID)
    return True


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@given(data=st.data(), seq=U16, link_id=U16, correlation_id=U16, flags=FLAGS)
@settings(max_examples=12)
def test_reading_undoes_writing(
    model: type[Message], data: st.DataObject, seq: int, link_id: int, correlation_id: int, flags: int
) -> None:
    message = data.draw(bodied(model))
    raw = encode_body(message, seq, link_id, correlation_id, flags)
    assert len(raw) <= MAX_BODY_BYTES
    for named in (None, model):
        envelope = decode_body(raw, named, topic_name(model.__name__))
        assert valid(envelope) and envelope.message == message
        header = envelope.header
        assert (header.seq, header.link_id, header.correlation_id, header.flags) == (
            seq,
            link_id,
            correlation_id,
            flags,
        )
    assert encode_body(envelope.message or message, seq, link_id, correlation_id, flags) == raw
    # Any JSON library reads it as it was meant, and what that library writes reads the same.
    again = json.dumps(json.loads(raw), indent=1, ensure_ascii=True).encode()
    assert len(again) > MAX_BODY_BYTES or decode_body(again, None, "").message == message


json_values: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-1, 70_000) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


WRONG: Final[list[Any]] = [
    None, True, -1, 1 << 64, 10**400, 1.5, "", "FLY", "00", "zz", [], [[]], [{}], [None], ["FLY"], {}, {"FLY": []},
    [{"raw": "00"}], [{"raw": 7}], [{"record": []}], [{"record": "Cycle"}], [{"record": "Cycle", "cycle_no": [7]}],
]  # fmt: skip
"""What is wrong nearly everywhere."""


@st.composite
def nearly(draw: st.DrawFn) -> tuple[type[Message], bytes]:
    """A lawful body with something else put in, or left out, somewhere."""
    model = draw(st.sampled_from(MODELS))
    body = json.loads(encode_body(draw(bodied(model)), draw(U16), draw(U16), draw(U16), draw(FLAGS)))
    for _ in range(draw(st.integers(1, 2))):
        inner = body["payload"] if isinstance(body.get("payload"), dict) and draw(st.booleans()) else body
        key = draw(st.sampled_from([*inner, "flags", "message", "more"]))
        if draw(st.integers(0, 3)):
            inner[key] = draw(st.sampled_from(WRONG) | json_values)
        else:
            inner.pop(key, None)
    return model, json.dumps(body).encode(errors="surrogatepass")


@given(nearly())
@settings(max_examples=400)
def test_a_body_that_is_nearly_right(nearly: tuple[type[Message], bytes]) -> None:
    model, raw = nearly
    for named in (None, model):
        valid(decode_body(raw, named, topic_name(model.__name__)))


@given(json_values, st.none() | st.sampled_from(MODELS))
@settings(max_examples=200)
def test_any_json(value: Any, model: type[Message] | None) -> None:
    """NaN and Infinity among it, which Python writes and JSON has not."""
    valid(decode_body(json.dumps(value).encode(), model, "punch"))


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode), st.none() | st.sampled_from(MODELS))
@settings(max_examples=200)
def test_any_bytes(raw: bytes, model: type[Message] | None) -> None:
    valid(decode_body(raw, model, "punch"))
    try:
        Status.from_body(raw)
    except MessageError as error:
        assert error.message == "Status"


numbers: Final = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,4})?", fullmatch=True)


@pytest.mark.parametrize("model", [model for model in MODELS if model.FIELDS], ids=lambda model: model.__name__)
@given(data=st.data(), number=numbers | st.sampled_from(["1e400", "-1e400", "-0", "9" * 4_000, "NaN", "Infinity"]))
@settings(max_examples=10)
def test_any_number_in_any_field(model: type[Message], data: st.DataObject, number: str) -> None:
    payload = payload_of(data.draw(bodied(model)))
    name = data.draw(st.sampled_from(list(payload)))
    text = json.dumps({"payload": {**payload, name: "@"}}).replace('"@"', number)
    envelope = decode_body(text.encode(), model, "x")
    if valid(envelope):
        value = getattr(envelope.message, name)
        assert value == float(number) or isinstance(value, int)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * MAX_BODY_BYTES,
        b'{"a":' * (MAX_BODY_BYTES // 5),
        b'{"payload":{' + b'"a":1,' * 1_300 + b'"a":1}}',
        b'{"payload":{"cycle_no":' + b"9" * 8_000 + b"}}",
        b'{"payload":{"data":"' + b"0" * 8_100 + b'"}}',
        b'{"message":"' + b"\\u0000" * 1_300 + b'"}',
        b'{"message":[' + b"[]," * 2_600 + b"[]]}",
        b"\x00" * (1 << 24),
        b"[" * (1 << 24),
    ],
    ids=["lists", "objects", "keys", "digits", "hex", "escapes", "wide", "16 MiB", "16 MiB of lists"],
)
def test_the_worst_bodies(raw: bytes) -> None:
    """As deep, as wide and as long as a body may be, and far longer, which is not read at all."""
    for model in (None, COMMANDS["punch"], COMMANDS["echo"]):
        assert not valid(decode_body(raw, model, "punch"))
    with pytest.raises(MessageError):
        Status.from_body(raw)


# --- records -----------------------------------------------------------------------------------------------------


@given(st.binary(min_size=RECORD_SIZE, max_size=RECORD_SIZE), st.integers(0, 12))
@settings(max_examples=200)
def test_any_record_comes_back_to_the_byte(raw: bytes, kind: int) -> None:
    raw = raw[:8] + bytes((kind,)) + raw[9:]
    page = JournalPage(epoch=1, first=1, tail=1, head=2, records=raw)
    assert decode_body(encode_body(page, 1, 1, 1), None, "").message == page
    assert json.loads(json.dumps(record_of(raw))) == record_of(raw)


# --- the wires ---------------------------------------------------------------------------------------------------

topics: Final = st.one_of(
    st.sampled_from([TOPICS.of("command", name) for name in (*COMMANDS, "", "fly")]),
    st.sampled_from([TOPICS.of("heartbeat"), TOPICS.of("heartbeat", "me"), TOPICS.of("reply", "me"), "", "#"]),
    st.text(max_size=30),
)
publications: Final = st.builds(
    Publication,
    topic=topics,
    body=st.binary(max_size=60) | nearly().map(lambda pair: pair[1]),
    qos=st.sampled_from([0, 1, 2]),
    retain=st.booleans(),
    expiry_s=st.none() | st.integers(0, 3),
    response_topic=st.none() | st.text(max_size=10),
    correlation_data=st.none() | st.binary(max_size=4),
)


@given(st.lists(publications, max_size=5))
@example([Publication(TOPICS.of("heartbeat", "me"), b"{}", retain=True)])
@settings(max_examples=200)
def test_any_publication(arriving: list[Publication]) -> None:
    """Nothing but envelopes comes out of either wire; retained or without its properties, no command does."""
    host, device = HostWire(TOPICS, "me"), DeviceWire(TOPICS, "me")
    for publication in arriving:
        for envelope in host.feed(publication):
            assert isinstance(envelope, Envelope) and not publication.retain
            assert envelope.message is not None or envelope.header.kind != 0, "what nobody knows is no command"
        for envelope in device.feed(publication):
            assert isinstance(envelope, Envelope)
            lawful = not publication.retain
            if not publication.topic.startswith(TOPICS.of("heartbeat")):
                lawful &= publication.correlation_data is not None and publication.expiry_s in (0, 1, 2)
            assert lawful or envelope.message is None


# --- snapshots ---------------------------------------------------------------------------------------------------


def shown(model: type[Snapshot | BaseModel]) -> st.SearchStrategy[Any]:
    """Lawful bodies of the retained topics."""
    lists: dict[str, type[BaseModel]] = {"alarms": AlarmShown, "params": ParameterShown}
    fields = {
        name: st.lists(shown(lists[name]), max_size=3).map(tuple)
        if name in lists
        else st.from_type(cast(type[Any], field.annotation)).filter(lambda value: value == value)  # no NaN
        for name, field in model.model_fields.items()
    }
    return st.builds(model, **fields)


@pytest.mark.parametrize("model", [Status, State, Alarms, Params], ids=lambda model: model.__name__)
@given(data=st.data())
@settings(max_examples=30)
def test_a_snapshot_is_json_with_enumerators_by_name(model: type[Snapshot], data: st.DataObject) -> None:
    snapshot = data.draw(shown(model))
    body = json.loads(snapshot.to_body())
    assert list(body) == list(model.model_fields)
    if isinstance(snapshot, Status):
        assert Status.from_body(snapshot.to_body()) == snapshot
    if isinstance(snapshot, State):
        assert body["state"] == snapshot.state.name
