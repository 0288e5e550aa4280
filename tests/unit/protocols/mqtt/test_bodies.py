"""JSON bodies: what a message looks like, what is passed over, and what each wrong body is told."""

import json
import math
import struct
from typing import Annotated, Any, Final

import pytest

from protocols.language.enums import AlarmPriority, AlarmState, Code, DeviceState, Ending, Kind, Lane, Phase, Stream
from protocols.language.errors import MessageError
from protocols.language.fields import U8, EnumByte, Since, TailU16
from protocols.language.message import REGISTRY, Command
from protocols.language.messages import (
    Arm,
    Echo,
    Event,
    Heartbeat,
    Hello,
    JournalPage,
    ParamSet,
    Punch,
    SessionOpen,
    StreamSet,
)
from protocols.language.records import RECORD_SIZE, Cycle, ParameterSet, encode_record
from protocols.link.header import MUST_UNDERSTAND, REPLAYED, REPLY_WANTED, RETRANSMIT
from protocols.link.port import Problem
from protocols.mqtt.bodies import BY_NAME, MAX_BODY_BYTES, MAX_WIDE_DIGITS, decode_body, encode_body, record_of
from protocols.mqtt.status import Alarms, AlarmShown, Status
from protocols.serial.payload import decode_payload
from tests.unit.protocols.language.altered import altered, zeros

PUNCH: Final = Punch(cycle_no=7, depth_um=3000, deadline_ms=0)
TEXT: Final = (
    b'{"message":"Punch","seq":12,"link_id":1,"correlation_id":11,'
    b'"payload":{"cycle_no":7,"depth_um":3000,"deadline_ms":0}}'
)
CYCLE: Final = Cycle(
    event_no=5,
    uptime_ms=6,
    ending=Ending.COMPLETED,
    phase=Phase.COUNT,
    needles=3,
    cycle_no=7,
    outcomes=0x111,
    cell=8,
    depth_um=3000,
    total_punctures=9,
    total_cores_counted=8,
)


def body(**changes: Any) -> bytes:
    """A PUNCH with something else in its body; None takes a key away."""
    whole = json.loads(TEXT) | changes
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def payload(**changes: Any) -> bytes:
    """A PUNCH with something else in its payload."""
    inner = json.loads(TEXT)["payload"] | changes
    return body(payload={name: value for name, value in inner.items() if value is not None})


def problem_of(raw: bytes, name: str = "punch") -> Problem:
    header, message, problem = decode_body(raw, Punch if name == "punch" else None, name)
    assert message is None and problem is not None
    assert problem.sentence.isprintable() and 0 < len(problem.sentence.encode()) <= 120
    assert header.major == 1
    return problem


# --- what is lawful ----------------------------------------------------------------------------------------------


def test_the_example_of_the_specification() -> None:
    assert encode_body(PUNCH, 12, 1, 11) == TEXT
    header, message, problem = decode_body(TEXT, Punch, "punch")
    assert (message, problem) == (PUNCH, None)
    assert (header.seq, header.link_id, header.correlation_id, header.flags) == (12, 1, 11, 0)
    assert (header.kind, header.message_id) == (Kind.COMMAND, Punch.ID)


def test_numbers_that_are_zero_are_left_out_and_read_as_zero() -> None:
    raw = encode_body(Arm(), 3, 0, 0)
    assert raw == b'{"message":"Arm","seq":3,"payload":{}}'
    header, message, _ = decode_body(raw, None, "")
    assert message == Arm() and (header.link_id, header.correlation_id) == (0, 0)


def test_a_command_without_name_and_payload_is_its_topics() -> None:
    assert decode_body(b"{}", Arm, "arm").message == Arm()
    for said in ("arm", "Arm"):
        assert decode_body(json.dumps({"message": said}).encode(), Arm, "arm").message == Arm()


@pytest.mark.parametrize(("bits", "names"), [(RETRANSMIT, ["RETRANSMIT"]), (REPLAYED, ["REPLAYED"])])
def test_flags(bits: int, names: list[str]) -> None:
    raw = encode_body(PUNCH, 1, 1, 1, bits | REPLY_WANTED)
    assert json.loads(raw)["flags"] == names
    assert decode_body(raw, None, "").header.flags == bits


@pytest.mark.parametrize(
    "flags", [["URGENT"], ["RETRANSMIT", "URGENT"], [7], [["REPLAYED"]], "RETRANSMIT", {}, 4, True]
)
def test_a_flag_that_is_not_known_must_be_understood(flags: Any) -> None:
    assert decode_body(body(flags=flags), Punch, "punch").header.flags & MUST_UNDERSTAND


@pytest.mark.parametrize("key", ["message", "seq", "link_id", "correlation_id", "flags"])
def test_null_is_missing(key: str) -> None:
    """So generated code writes what it does not set."""
    written = json.loads(TEXT) | {key: None}
    missing = {name: value for name, value in written.items() if name != key}
    read, absent = (decode_body(json.dumps(one).encode(), Punch, "punch") for one in (written, missing))
    assert read == absent and read.message == PUNCH


class Grown(Command["Grown"], id=0x7FFF, lane=Lane.QUERY):
    """A message that a later minor gave fields."""

    first: U8
    second: Annotated[U8, Since(1)]
    third: Annotated[Ending, EnumByte, Since(1)]
    rest: Annotated[TailU16, Since(1)]


del REGISTRY[Kind.COMMAND, 0x7FFF]  # this test's alone


@pytest.mark.parametrize("payload", [b'{"first":7}', b'{"first":7,"second":null}'])
def test_null_is_missing_in_a_payload(payload: bytes) -> None:
    """A field that an older sender does not know is 0; of any other its absence is said."""
    grown = Grown(first=7, second=0, third=Ending.OPEN, rest=())
    assert decode_body(b'{"payload":%b}' % payload, Grown, "grown").message == grown == decode_payload(Grown, b"\7")
    assert decode_body(b'{"payload":null}', Arm, "arm").message == Arm()
    problem = decode_body(TEXT.replace(b"3000", b"null"), Punch, "punch").problem
    assert problem == Problem(Code.E_ARGUMENT, "Punch.depth_um: is missing")


def test_null_is_missing_in_a_record() -> None:
    shown = record_of(encode_record(CYCLE)) | {"raw": None, "more": None}
    page = {"epoch": 1, "first": 5, "tail": 1, "head": 6, "records": [shown]}
    read = decode_body(json.dumps({"message": "JournalPage", "payload": page}).encode(), None, "").message
    assert isinstance(read, JournalPage) and read.records == encode_record(CYCLE)


def test_keys_that_are_not_known_are_passed_over() -> None:
    raw = json.loads(payload(comment={"deep": [1, None]}, PUNCH=1))
    assert (
        decode_body(json.dumps({**raw, "from": "next year", "Flags": ["X"]}).encode(), Punch, "punch").message == PUNCH
    )


def test_a_key_that_stands_twice_counts_as_it_stands_last() -> None:
    twice = TEXT.replace(b'"cycle_no":7', b'"cycle_no":7,"cycle_no":8').replace(b'"seq":12', b'"seq":"x","seq":9')
    header, message, _ = decode_body(twice, Punch, "punch")
    assert message == Punch(cycle_no=8, depth_um=3000, deadline_ms=0) and header.seq == 9


@pytest.mark.parametrize(("written", "read"), [("3", 3.0), ("-0", 0.0), ("1e-400", 0.0), ("1.5E+2", 150.0)])
def test_a_number_with_or_without_a_point(written: str, read: float) -> None:
    raw = b'{"payload":{"name":"x","value":%b}}' % written.encode()
    message = decode_body(raw, ParamSet, "param_set").message
    assert isinstance(message, ParamSet) and message == ParamSet(name="x", value=read) and type(message.value) is float


def test_an_enumerator_that_is_not_known_is_unknown() -> None:
    raw = b'{"payload":{"stream":"WHALES","interval_ms":100}}'
    assert decode_body(raw, StreamSet, "stream_set").message == StreamSet(stream=Stream.UNKNOWN, interval_ms=100)
    wrong = b'{"payload":{"stream":1,"interval_ms":100}}'
    assert decode_body(wrong, StreamSet, "stream_set").problem == Problem(
        Code.E_ARGUMENT, "StreamSet.stream: a text is needed"
    )


def test_what_is_nested_is_as_json_has_it() -> None:
    """Bytes in hex, enumerators by name, also of a model in a list."""
    assert json.loads(encode_body(Echo(data=b"\x00\xff"), 1, 1, 1))["payload"] == {"data": "00ff"}
    alarm = AlarmShown(
        code=1203, interlock=3, priority=AlarmPriority.HIGH, state=AlarmState.ACTIVE, uptime_ms=5, sentence="no"
    )
    assert json.loads(Alarms(version=1, alarms=(alarm,)).to_body())["alarms"] == [
        {"code": 1203, "interlock": 3, "priority": "HIGH", "state": "ACTIVE", "uptime_ms": 5, "sentence": "no"}
    ]


@pytest.mark.parametrize(("body", "said"), [(b"7", "Status: Input"), (b"{}", "Status.notice: Field required")])
def test_a_status_that_is_none(body: bytes, said: str) -> None:
    with pytest.raises(MessageError) as raised:
        Status.from_body(body)
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize("records", [{}, "", 7, True])
def test_records_are_a_list(records: Any) -> None:
    payload = {"epoch": 1, "first": 5, "tail": 1, "head": 6, "records": records}
    problem = decode_body(json.dumps({"message": "JournalPage", "payload": payload}).encode(), None, "").problem
    assert problem == Problem(Code.E_ARGUMENT, "JournalPage.records: a list of records is needed")


def test_digits_beyond_any_number_are_not_even_made_one() -> None:
    raw = b'{"message":"Hello","payload":{"features":"%b"}}' % (b"1" * (MAX_WIDE_DIGITS + 1))
    problem = decode_body(raw, None, "").problem
    assert problem == Problem(Code.E_ARGUMENT, f"Hello.features: at most {MAX_WIDE_DIGITS} decimal digits are needed")


def test_records_are_objects() -> None:
    raw = encode_record(CYCLE)
    shown = record_of(raw)
    assert shown["record"] == "Cycle" and shown["ending"] == "COMPLETED" and shown["cycle_no"] == 7
    page = JournalPage(epoch=1, first=5, tail=1, head=6, records=raw)
    text = encode_body(page, 1, 2, 3)
    assert json.loads(text)["payload"]["records"] == [shown]
    assert decode_body(text, None, "").message == page


@pytest.mark.parametrize("raw", [b"\xff" * RECORD_SIZE, encode_record(CYCLE)[:8] + b"\x63" * 24])
def test_a_record_that_is_not_known_is_its_bytes(raw: bytes) -> None:
    assert record_of(raw) == {"raw": raw.hex()}
    event = Event(record=raw)
    assert decode_body(encode_body(event, 1, 1, 0), None, "").message == event


def test_a_record_that_cannot_be_read_is_its_bytes() -> None:
    raw = encode_record(ParameterSet(event_no=1, uptime_ms=2, index=3, value=0.5))
    broken = raw.replace(struct.pack("<d", 0.5), struct.pack("<d", math.nan))
    assert broken != raw and record_of(broken) == {"raw": broken.hex()}


def test_a_record_with_something_behind_its_fields_is_its_bytes() -> None:
    """As objects they would lose it, and the fold of a newer device's records with it."""
    raw = encode_record(altered(CYCLE, ending=Ending.UNKNOWN))
    other = raw[:9] + b"\x63" + raw[10:]
    assert record_of(other) == {"raw": other.hex()}


def test_every_message_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len({name.lower() for name in BY_NAME}) and BY_NAME["Punch"] is Punch


# --- what is not -------------------------------------------------------------------------------------------------

NO_JSON: Final = {
    "nothing": b"",
    "white space": b" \n",
    "no JSON": b"PUNCH 7",
    "half a body": TEXT[:40],
    "two bodies": TEXT + TEXT,
    "one and a half": TEXT + b"{",
    "single quotes": TEXT.replace(b'"', b"'"),
    "a comment": TEXT[:-1] + b"/* now */}",
    "a comma too many": TEXT[:-1] + b",}",
    "NaN": TEXT.replace(b"3000", b"NaN"),
    "Infinity": TEXT.replace(b"3000", b"Infinity"),
    "-Infinity": TEXT.replace(b"3000", b"-Infinity"),
    "leading zero": TEXT.replace(b"3000", b"03000"),
    "hex": TEXT.replace(b"3000", b"0xBB8"),
    "5,000 digits": TEXT.replace(b"3000", b"3" * 5000),
    "latin-1": TEXT.replace(b'"seq"', b'"s\xe9q"'),
    "half a character": TEXT.replace(b'"seq"', b'"s\xc3q"'),
    "UTF-16": TEXT.decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + TEXT,
    "half a surrogate pair": TEXT.replace(b'"Punch"', b'"\\ud800"'),
    "other half": TEXT.replace(b'"Punch"', b'"\\udc00"'),
    "NUL": TEXT.replace(b"7", b"\0"),
    "8,000 lists": b"[" * 8_000,
    "1,600 objects": b'{"a":' * 1_600,
    "closed again": b'{"payload":' + b"[" * 4_000 + b"]" * 4_000 + b"}",
}


@pytest.mark.parametrize("raw", NO_JSON.values(), ids=NO_JSON)
def test_no_json(raw: bytes) -> None:
    assert len(raw) <= MAX_BODY_BYTES
    problem = problem_of(raw)
    assert problem.code is Code.E_ARGUMENT and problem.sentence.startswith("the body is not JSON: ")


@pytest.mark.parametrize("raw", [b"null", b"true", b"7", b'"Punch"', b"[]", b"[" + TEXT + b"]"])
def test_no_object(raw: bytes) -> None:
    assert problem_of(raw) == Problem(Code.E_ARGUMENT, "the body is not a JSON object")


@pytest.mark.parametrize("size", [MAX_BODY_BYTES, MAX_BODY_BYTES + 1, 1 << 16, 1 << 20])
def test_a_body_that_is_too_long_is_not_even_read(size: int) -> None:
    raw = TEXT + b" " * (size - len(TEXT))
    if size == MAX_BODY_BYTES:
        assert decode_body(raw, Punch, "punch").message == PUNCH
        return
    assert problem_of(raw).sentence == f"a body has at most {MAX_BODY_BYTES} bytes, this one {size}"


@pytest.mark.parametrize("key", ["seq", "link_id", "correlation_id"])
@pytest.mark.parametrize("value", [-1, 0x1_0000, 10**400, 1.0, True, "1", [], {}])
def test_numbers_of_the_header(key: str, value: Any) -> None:
    problem = problem_of(body(**{key: value}))
    assert problem == Problem(Code.E_ARGUMENT, "seq, link_id and correlation_id are whole numbers from 0 to 65535")


NO_PUNCH: Final = {
    "no number": (payload(cycle_no="7"), "Punch.cycle_no: "),
    "null": (TEXT.replace(b"3000", b"null"), "Punch.depth_um: "),
    "a list": (payload(cycle_no=[7]), "Punch.cycle_no: "),
    "true": (payload(cycle_no=True), "Punch.cycle_no: "),
    "a fraction": (payload(depth_um=3000.5), "Punch.depth_um: "),
    "a point": (TEXT.replace(b"3000", b"3000.0"), "Punch.depth_um: "),
    "3e3": (TEXT.replace(b"3000", b"3e3"), "Punch.depth_um: "),
    "1e400": (TEXT.replace(b"3000", b"1e400"), "Punch.depth_um: "),
    "-0.0": (TEXT.replace(b"3000", b"-0.0"), "Punch.depth_um: "),
    "-1": (payload(depth_um=-1), "Punch.depth_um: "),
    "too large": (payload(depth_um=0x1_0000), "Punch.depth_um: "),
    "400 digits": (payload(depth_um=10**400), "Punch.depth_um: "),
    "missing": (payload(cycle_no=None), "Punch.cycle_no: is missing"),
    "no payload": (body(payload=None), "Punch.cycle_no: is missing"),
    "a payload that is a list": (body(payload=[7, 3000, 0]), "Punch: the payload is not a JSON object"),
    "a payload that is a text": (body(payload=TEXT.decode()), "Punch: the payload is not a JSON object"),
    "of another message": (body(message="Arm"), "the topic is of Punch, the body of Arm"),
    "of a list": (body(message=["Punch"]), "the topic is of Punch, the body of ['Punch']"),
    "of something long": (body(message="P" * 500), f"the topic is of Punch, the body of {'P' * 40}"),
    "of what cannot be printed": (
        body(message="\x1b[2J\n\0\u202e"),
        r"the topic is of Punch, the body of \x1b[2J\n\x00\u202e",
    ),
}


@pytest.mark.parametrize(("raw", "said"), NO_PUNCH.values(), ids=NO_PUNCH)
def test_no_punch(raw: bytes, said: str) -> None:
    problem = problem_of(raw)
    assert problem.code is Code.E_ARGUMENT and problem.sentence.startswith(said)
    header = decode_body(raw, Punch, "punch").header
    assert (header.seq, header.link_id, header.correlation_id) == (12, 1, 11), "what could be read comes back"


@pytest.mark.parametrize("name", ["Nope", "punch", "", "Message", "BaseModel", "__class__", "P" * 7000])
def test_a_message_that_is_not_known(name: str) -> None:
    problem = problem_of(body(message=name), name="nope")
    assert problem == Problem(Code.E_UNKNOWN_MESSAGE, f"message {name[:40]} is not known to this version")


@pytest.mark.parametrize("value", ["1e400", "-1e400", "1" + "0" * 400, "-1" + "0" * 400, '"1"', "null", "true", "[]"])
def test_a_float_that_is_none(value: str) -> None:
    raw = b'{"payload":{"name":"x","value":%b}}' % value.encode()
    problem = decode_body(raw, ParamSet, "param_set").problem
    assert problem is not None and problem.sentence.startswith("ParamSet.value: ")


@pytest.mark.parametrize("name", ["x" * 33, "ä" * 17, "a\0b", 7, None])
def test_a_text_that_does_not_fit(name: Any) -> None:
    raw = json.dumps({"payload": {"name": name, "value": 1}}).encode()
    problem = decode_body(raw, ParamSet, "param_set").problem
    assert problem is not None and problem.sentence.startswith("ParamSet.name: ")


@pytest.mark.parametrize("data", ["0", "zz", "00" * 225, 7, ["00"], "\u0660\u0660"])
def test_bytes_that_are_none(data: Any) -> None:
    raw = json.dumps({"payload": {"data": data}}).encode()
    problem = decode_body(raw, Echo, "echo").problem
    assert problem is not None and problem.sentence.startswith("Echo.data: ")


@pytest.mark.parametrize("zones", [[1] * 109, [1] * 3_000, [70_000], [1.5], "11", 7, [[1]], {"0": 1}])
def test_a_tail_that_no_frame_could_hold_is_none_here_either(zones: Any) -> None:
    plan = {"target_cores": 1, "coverage_bp": 400, "depth_um": 500, "zones_cm2": zones}
    problem = decode_body(
        json.dumps({"payload": plan}, separators=(",", ":")).encode(), SessionOpen, "session_open"
    ).problem
    assert problem is not None and problem.sentence.startswith("SessionOpen.zones_cm2")
    with pytest.raises(MessageError, match=r"^Echo\.data: payload of 225 B is over 224 B$"):
        encode_body(Echo(data=bytes(225)), 1, 1, 1)


SHOWN: Final = record_of(encode_record(CYCLE))
NO_RECORDS: Final = {
    "no list": SHOWN,
    "no object": ["Cycle"],
    "nothing": [{}],
    "a kind that is not known": [{"record": "Whale"}],
    "a kind that is no text": [{"record": 1}],
    "a field that is missing": [{name: value for name, value in SHOWN.items() if name != "cycle_no"}],
    "a field out of range": [{**SHOWN, "cell": 70_000}],
    "a field of another type": [{**SHOWN, "ending": 1}],
    "half a record": [{"raw": "00" * 31}],
    "a record and a half": [{"raw": "00" * 48}],
    "no hex": [{"raw": "records!" * 8}],
    "no text": [{"raw": 7}],
    "seven records": [{"raw": "00" * RECORD_SIZE}] * 7,
}


@pytest.mark.parametrize("records", NO_RECORDS.values(), ids=NO_RECORDS)
def test_a_page_whose_records_are_none(records: Any) -> None:
    page = {"epoch": 1, "first": 5, "tail": 1, "head": 6, "records": records}
    raw = json.dumps({"message": "JournalPage", "payload": page}).encode()
    _, message, problem = decode_body(raw, None, "")
    assert message is None and problem is not None
    assert problem.sentence.startswith("JournalPage.records: ") and problem.sentence.isprintable()


def test_a_record_reads_its_fields_and_no_more() -> None:
    more = {"record": {**SHOWN, "later": 1}}
    found = decode_body(json.dumps({"message": "Event", "payload": {"record": [more["record"]]}}).encode(), None, "")
    assert found.message == Event(record=encode_record(CYCLE))


def test_a_heartbeat_is_short() -> None:
    """It is sent five times a second by each end."""
    said = {"state": DeviceState.ARMED, "highest_alarm": AlarmPriority.NONE, "trigger_held": False}
    message = Heartbeat(**{**zeros(Heartbeat), **said})
    assert len(encode_body(message, 1, 1, 0)) < 400


# --- 64 bits ---------------------------------------------------------------------------------------------------------


def hello_body(features: Any) -> bytes:
    payload = {
        "majors": 2, "minor": 0, "role": "CONTROLLER", "features": features, "schema_id": 0, "host_id": 5,
        "max_payload_size": 224, "nonce": 77,
    }  # fmt: skip
    return json.dumps({"message": "Hello", "seq": 1, "payload": payload}).encode()


@pytest.mark.parametrize("features", [0, 2**53 + 1, 2**64 - 1])
def test_64_bits_are_text_and_are_read_as_a_number_too(features: int) -> None:
    message = decode_body(hello_body(str(features)), Hello, "Hello").message
    assert isinstance(message, Hello) and message.features == features
    assert json.loads(encode_body(message, 1, 0, 1))["payload"]["features"] == str(features)
    assert decode_body(hello_body(features), Hello, "Hello").message == message


@pytest.mark.parametrize(
    "features", ["", "-1", "+1", " 1", "1_0", "0x1", "1.0", "1" * 21, str(2**64), "\u0661", 1.5, []]
)
def test_no_other_text_is_64_bits(features: Any) -> None:
    problem = decode_body(hello_body(features), Hello, "Hello").problem
    assert problem is not None and problem.code is Code.E_ARGUMENT and "features" in problem.sentence
