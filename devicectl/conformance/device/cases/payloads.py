"""Cases of payloads: what is refused whole, what is passed over, and how two minors meet."""

import struct
from functools import partial
from typing import Final

from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.cases.declare import Run, answer_to, as_answer, case, craft, echoes
from devicectl.conformance.device.checks import done, equal, nak, refused, tells, true
from devicectl.conformance.device.ground import Ground, Stage
from devicectl.conformance.device.link import hello
from devicectl.conformance.device.probe import Heard, Steps
from devicectl.conformance.device.wires import payload_of
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code, Kind, Stream
from protocols.language.message import Message
from protocols.language.schema import schema_id
from protocols.language.version import MINOR

_BYTES: Final = Need.BYTES
_STATE: Final = Stream.STATE
_OPEN: Final = M.SessionOpen(target_cores=30, coverage_bp=800, depth_um=3_000, zones_cm2=(4,))

_SHORT: Final[dict[str, Message]] = {
    "stream-set": M.StreamSet(stream=_STATE, interval_ms=0),
    "journal-read": M.JournalRead(epoch=0, first=1, max_records=1),
    "journal-ack": M.JournalAck(epoch=0, upto=1),
    "param-get": M.ParamGet(name="needles"),
    "param-list": M.ParamList(index=0),
    "param-set": M.ParamSet(name="needles", value=3.0),
    "alarm-ack": M.AlarmAck(code=1),
    "punch": M.Punch(cycle_no=1, depth_um=3_000, deadline_ms=0),
    "suction": M.Suction(cycle_no=1),
    "session-close": M.SessionClose(
        session_no=1,
        reason=CloseReason.COMPLETED,
        cycles=0,
        completed=0,
        aborted=0,
        ambiguous=0,
        punctures=0,
        cores_counted=0,
    ),
}
"""Commands that are cut."""


def _short(ground: Ground, command: Message, size: int) -> Steps[None]:
    made = craft(ground.link, command, payload=payload_of(command)[:size])
    said = refused(as_answer((yield from answer_to(ground, made, "REFUSED"))), Code.E_ARGUMENT)
    true("the sentence of the refusal", bool(said.sentence), "a sentence for people", said.sentence)
    tells(said, "both sizes", len(payload_of(command)), size)
    yield from echoes(ground)


def _half_element(ground: Ground) -> Steps[None]:
    made = craft(ground.link, _OPEN, payload=payload_of(_OPEN) + b"\x01")
    refused(as_answer((yield from answer_to(ground, made, "REFUSED"))), Code.E_ARGUMENT)
    yield from ground.look()
    equal("the device's state afterwards", "IDLE", ground.state.name)


_RANGES: Final[dict[str, tuple[type[Message], bytes, str]]] = {
    "interval": (M.StreamSet, struct.pack("<BH", 1, 60_001), "interval_ms"),
    "no-records": (M.JournalRead, struct.pack("<IIB", 0, 1, 0), "max_records"),
    "no-target": (M.SessionOpen, struct.pack("<IHHH", 0, 800, 3_000, 4), "target_cores"),
    "high-target": (M.SessionOpen, struct.pack("<IHHH", 1_000_001, 800, 3_000, 4), "target_cores"),
    "low-coverage": (M.SessionOpen, struct.pack("<IHHH", 30, 399, 3_000, 4), "coverage_bp"),
    "high-coverage": (M.SessionOpen, struct.pack("<IHHH", 30, 801, 3_000, 4), "coverage_bp"),
    "low-depth": (M.SessionOpen, struct.pack("<IHHH", 30, 800, 499, 4), "depth_um"),
    "high-depth": (M.SessionOpen, struct.pack("<IHHH", 30, 800, 4_001, 4), "depth_um"),
    "age": (M.AnesthesiaStart, struct.pack("<BI32s", 0, 86_401, b"x"), "age_s"),
    "no-steps": (M.Advance, struct.pack("<IB", 1, 0), "steps"),
    "nine-steps": (M.Advance, struct.pack("<IB", 1, 9), "steps"),
}
"""Values just outside their ranges, each with its field."""

_TEXTS: Final = {
    "behind-nul": b"needles\0x".ljust(32, b"\0"),
    "no-utf8": b"\xff\xfe\xfd".ljust(32, b"\0"),
    "cut-letter": b"\xc3".ljust(32, b"\0"),
}
_NUMBERS: Final = {"nan": float("nan"), "inf": float("inf"), "minus-inf": float("-inf")}
_ENUMERATORS: Final[dict[str, tuple[type[Message], bytes]]] = {
    "stream": (M.StreamSet, struct.pack("<BH", 9, 100)),
    "stream-unknown": (M.StreamSet, struct.pack("<BH", 255, 100)),
    "close-reason": (M.SessionClose, struct.pack("<IB6I", 1, 77, 0, 0, 0, 0, 0, 0)),
}
_MODELS: Final[dict[type[Message], Message]] = {
    M.StreamSet: M.StreamSet(stream=_STATE, interval_ms=0),
    M.JournalRead: M.JournalRead(epoch=0, first=1, max_records=1),
    M.SessionOpen: _OPEN,
    M.AnesthesiaStart: M.AnesthesiaStart(zone=0, age_s=0, method=""),
    M.Advance: M.Advance(cycle_no=1, steps=1),
    M.SessionClose: _SHORT["session-close"],
    M.ParamGet: M.ParamGet(name="needles"),
    M.ParamSet: M.ParamSet(name="heartbeat_idle_ms", value=5_000.0),
}
"""Command -> one of its kind, for its header."""


def _refused_whole(ground: Ground, model: type[Message], payload: bytes, field: str = "") -> Steps[None]:
    made = craft(ground.link, _MODELS[model], payload=payload)
    said = refused(as_answer((yield from answer_to(ground, made, "REFUSED"))), Code.E_ARGUMENT)
    true("the sentence of the refusal", field in said.sentence, f"one with the field's name, {field}", said.sentence)
    yield from echoes(ground)


_LONGER: Final[dict[str, tuple[Message, type[Message]]]] = {
    "device-info": (M.DeviceInfo(), M.DeviceInfoDone),
    "stream-set": (M.StreamSet(stream=_STATE, interval_ms=0), M.StreamSetDone),
    "param-list": (M.ParamList(index=0), M.ParamListDone),
    "alarm-list": (M.AlarmList(index=0), M.AlarmListDone),
}


def _longer(ground: Ground, command: Message, answer: type[Message]) -> Steps[None]:
    made = craft(ground.link, command, payload=payload_of(command) + b"\x07\x00\xff")
    done(as_answer((yield from answer_to(ground, made, answer.__name__))), answer)


def _unknown_command(ground: Ground, message_id: int) -> Steps[None]:
    made = craft(ground.link, M.Echo(data=b""), message_id=message_id)
    refused(as_answer((yield from answer_to(ground, made, "REFUSED"))), Code.E_UNKNOWN_MESSAGE)
    yield from echoes(ground)


def _unknown_message(ground: Ground, kind: int) -> Steps[None]:
    made = craft(ground.link, M.Echo(data=b""), kind=kind, message_id=0x0999)
    nak((yield from answer_to(ground, made, "NAK")), Code.E_UNKNOWN_MESSAGE)
    yield from echoes(ground)


# --- two minors -------------------------------------------------------------------------------------------------


def _greet(ground: Ground, minor: int = MINOR, schema: int | None = None) -> Steps[Heard]:
    """Say a HELLO in which something is another; the link before it is forgotten."""
    message = hello(ground.host_id, ground.nonce(), minor=minor, schema=schema)
    ground.drop_link()
    return (yield from ground.greet(0, message, correlation=9))


def _schema_differs(ground: Ground) -> Steps[None]:
    minor = min(MINOR, ground.link.welcome.minor)
    wrong = schema_id(minor) ^ 0x5A5A5A5A
    said = nak((yield from _greet(ground, minor=minor, schema=wrong)), Code.E_SCHEMA)
    equal(
        "the schema ids in the NAK: the device's, the host's", (schema_id(minor), wrong), (said.expected, said.actual)
    )


def _schema_zero(ground: Ground) -> Steps[None]:
    heard = yield from _greet(ground, schema=0)
    true("the answer to a HELLO without a schema", isinstance(heard.message, M.Welcome), "Welcome", heard.message)
    ground.take_link(0, heard)


def _lower_minor(ground: Ground, minor: int) -> Steps[None]:
    schema = schema_id(minor) if minor <= MINOR else 0x12345678
    heard = yield from _greet(ground, minor=minor, schema=schema)
    welcome = heard.message
    true(f"the answer to a host of minor {minor}", isinstance(welcome, M.Welcome), "Welcome", welcome)
    assert isinstance(welcome, M.Welcome)
    ground.take_link(0, heard)
    lower = min(minor, welcome.minor)
    if lower <= MINOR:
        equal(f"the schema id in WELCOME, at minor {lower}", schema_id(lower), welcome.schema_id)


def _bools(ground: Ground) -> Steps[None]:
    heard = yield from _greet(ground)
    welcome = heard.message
    true("the answer to HELLO", isinstance(welcome, M.Welcome), "Welcome", welcome)
    ground.take_link(0, heard)
    true("the byte of WELCOME's simulated", heard.item.payload[65] in (0, 1), "0 or 1", heard.item.payload[65])
    made = craft(ground.link, M.DeviceInfo())
    info = yield from answer_to(ground, made, "DEVICE_INFO's answer")
    done(as_answer(info), M.DeviceInfoDone)
    for offset, name in ((80, "simulated"), (81, "has_truth")):
        true(f"the byte of {name}", info.item.payload[offset] in (0, 1), "0 or 1", info.item.payload[offset])


def _all_fit(ground: Ground) -> Steps[None]:
    """Ask for all that can be asked for at rest, and see that each payload is one of the tables."""
    problems: list[str] = []

    def keep(heard: Heard) -> None:
        if heard.item.problem:
            problems.append(heard.item.problem)

    ground.probe.watch = keep
    welcome = ground.link.welcome
    for command in (
        M.DeviceInfo(),
        M.ParamList(index=0),
        M.ParamList(index=9_999),
        M.ParamGet(name="needles"),
        M.AlarmList(index=0),
        M.JournalRead(epoch=welcome.journal_epoch, first=1, max_records=255),
        M.Echo(data=bytes(range(64))),
        M.Stop(),
    ):
        yield from ground.ask(command)
    yield from ground.look()
    equal("payloads that are none of the tables", [], problems)


def _cases() -> list[Case]:
    made = []
    for name, command in _SHORT.items():
        run: Run = partial(_short, command=command, size=len(payload_of(command)) - 1)
        made.append(case(f"pay.short-{name}", f"{type(command).__name__} cut by one byte", "PAY-3", run, _BYTES))
    for name in ("stream-set", "param-set", "punch", "session-close"):
        run = partial(_short, command=_SHORT[name], size=0)
        made.append(case(f"pay.empty-{name}", f"{type(_SHORT[name]).__name__} without payload", "PAY-3", run, _BYTES))
    made.append(
        case("pay.half-element", "a zone of one byte", "PAY-4", _half_element, _BYTES, stage=Stage.IDLE),
    )
    for name, (model, payload, field) in _RANGES.items():
        run = partial(_refused_whole, model=model, payload=payload, field=field)
        made.append(case(f"pay.range-{name}", f"{model.__name__} with a value out of its range", "PAY-5", run, _BYTES))
    for name, value in _NUMBERS.items():
        payload = struct.pack("<32sd", b"heartbeat_idle_ms", value)
        run = partial(_refused_whole, model=M.ParamSet, payload=payload)
        made.append(case(f"pay.number-{name}", f"a parameter set to {value}", "PAY-6", run, _BYTES))
    run = partial(_refused_whole, model=M.ParamGet, payload=_TEXTS["behind-nul"])
    made.append(case("pay.text-behind-nul", "a parameter's name with more behind its end", "PAY-7", run, _BYTES))
    for name, payload in _TEXTS.items():
        run = partial(_refused_whole, model=M.AnesthesiaStart, payload=struct.pack("<BI", 0, 0) + payload)
        made.append(case(f"pay.method-{name}", f"a method that is no text: {name}", "PAY-7", run, _BYTES))
    for name, (model, payload) in _ENUMERATORS.items():
        run = partial(_refused_whole, model=model, payload=payload)
        made.append(case(f"pay.enum-{name}", f"{model.__name__} with an unknown enumerator", "PAY-8", run, _BYTES))
    for name, (command, answer) in _LONGER.items():
        run = partial(_longer, command=command, answer=answer)
        made.append(case(f"pay.longer-{name}", f"{type(command).__name__} with bytes behind it", "PAY-9", run, _BYTES))
    for number in (0x0777, 0x0399, 0x0FFF):
        run = partial(_unknown_command, message_id=number)
        made.append(case(f"pay.unknown-{number:04x}", f"unknown command 0x{number:04x}", "PAY-10", run, _BYTES))
    for kind in (Kind.BULK, Kind.LINK, 9):
        run = partial(_unknown_message, kind=kind)
        made.append(
            case(f"pay.unknown-kind-{int(kind)}", f"unknown message of kind {int(kind)}", "PAY-11", run, _BYTES)
        )
    made += [
        case("pay.schema", "a HELLO whose schema id differs", "PAY-12", _schema_differs),
        case("pay.schema-zero", "a HELLO without a schema id", "PAY-13", _schema_zero),
        case("pay.minor-0", "a host of minor 0", "PAY-14 PAY-16", partial(_lower_minor, minor=0)),
        case("pay.minor-200", "a host of minor 200", "PAY-14 PAY-16", partial(_lower_minor, minor=200)),
        case("pay.bools", "bools are sent as 0 or 1", "PAY-2", _bools, _BYTES),
        case("pay.all-fit", "each payload is one of the tables", "PAY-1", _all_fit),
    ]
    return made


CASES: Final = tuple(_cases())
