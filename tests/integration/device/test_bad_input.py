"""Bad input to a real device: what comes back, and that nothing else of the device changed.

The device stands ARMED in an open session, so that there is something to break. Journal records of kind REFUSAL are
lawful: they say that a host was refused.
"""

import struct
from collections.abc import Iterator
from typing import Any

import pytest

from firmware_sim.device import Device, Port
from protocols.language.enums import CloseReason, Code, DeviceState, Kind, Lane, Role, Stream
from protocols.language.message import REGISTRY, Message
from protocols.language.messages import (
    AlarmAck,
    AlarmAckDone,
    AnesthesiaConfirm,
    AnesthesiaStart,
    Arm,
    ArmDone,
    DeviceInfo,
    DeviceInfoDone,
    Disarm,
    Echo,
    EchoDone,
    Hello,
    HostHeartbeat,
    JournalAck,
    Nak,
    ParamGet,
    ParamGetDone,
    ParamSet,
    Pause,
    PauseDone,
    Progress,
    Punch,
    PunchDone,
    Received,
    Refused,
    Reposition,
    RepositionDone,
    Resume,
    SessionClose,
    SessionOpen,
    Stop,
    StopDone,
    StreamSet,
    Welcome,
)
from protocols.language.schema import schema_id
from protocols.language.units import SECOND, Micros
from protocols.link.header import HEADER_SIZE, REPLAYED, RETRANSMIT
from protocols.serial.framing import pack_header
from tests.integration.device.device_state import refusals_of, state_of
from tests.unit.protocols.link.exchange_pair import frame, hello, seen
from tests.unit.protocols.serial.frames import encode_frame, encode_payload, seal

HOLDER = 5
MIB = 1 << 20


class Bench:
    """A device and a port on which a host controls it. `ask` sends a command with the next correlation id."""

    def __init__(self) -> None:
        self.now = Micros(0)
        self.device = Device(seed=7)
        self.port = self.device.attach("first")
        self.correlation_id = 0
        self.link_id = self.connect(self.port, hello(host_id=HOLDER))
        zones = (10,)
        self.ask(SessionOpen(target_cores=300, coverage_bp=600, depth_um=2000, zones_cm2=zones))
        self.ask(AnesthesiaStart(zone=0, age_s=3000, method="cream"))
        self.ask(AnesthesiaConfirm(zone=0, confirmed_by="test"))
        assert isinstance(self.ask(Arm()), ArmDone)
        assert isinstance(self.ask(Reposition(zone=0, cell=0)), RepositionDone)
        assert self.device.board.state is DeviceState.ARMED

    def connect(self, port: Port, greeting: Hello) -> int:
        """The id of a new link."""
        (answer,) = self.send(frame(greeting, 0, 1), port)
        assert isinstance(answer, Welcome)
        return answer.link_id

    def send(self, data: bytes, port: Port | None = None) -> list[Message]:
        """Bytes arrive; what the device says at once."""
        return [message for _, message in self.send_raw(data, port)]

    def send_raw(self, data: bytes, port: Port | None = None) -> list[tuple[Any, Message]]:
        """The same, with headers."""
        port = self.port if port is None else port
        self.device.receive(port, data, self.now)
        return seen(port.exchange.take())

    def ask(self, command: Message) -> Message:
        """A command from the holder, and its final answer."""
        self.correlation_id += 1
        answers = self.send(frame(command, self.link_id, self.correlation_id))
        while not answers or isinstance(answers[-1], (Received, Progress)):
            self.now = Micros(self.now + 50_000)
            self.send(frame(HostHeartbeat(), self.link_id))
            self.device.advance(self.now)
            sent = seen(self.port.exchange.take())
            answers += [m for header, m in sent if header.correlation_id == self.correlation_id]
        return answers[-1]

    def state(self) -> dict[str, Any]:
        """All of the device that bad input must not change."""
        return state_of(self.device, self.port)

    def refusals(self) -> int:
        """REFUSAL records in the journal."""
        return refusals_of(self.device)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def unchanged(bench: Bench) -> Iterator[Bench]:
    """The bench; at the end the device must be as it was, and still take the next command."""
    before, refusals = bench.state(), bench.refusals()
    yield bench
    assert bench.state() == before
    assert bench.refusals() - refusals in (0, 1)
    bench.correlation_id = 900
    assert isinstance(bench.ask(Punch(cycle_no=1, depth_um=2000, deadline_ms=0x7000_0000)), PunchDone)


def punch(bench: Bench, **fields: int) -> bytes:
    return frame(Punch(cycle_no=1, depth_um=2000, deadline_ms=0x7000_0000), bench.link_id, 500, **fields)


def refusal_of(answers: list[Message]) -> Refused:
    (answer,) = answers
    assert isinstance(answer, Refused)
    return answer


def nak_of(answers: list[Message]) -> Nak:
    (answer,) = answers
    assert isinstance(answer, Nak)
    return answer


# --- bytes ---------------------------------------------------------------------------------------------------


def test_bench_can_punch(bench: Bench) -> None:
    """What every test below would see if its bad input were taken."""
    before = bench.state()
    assert isinstance(bench.send(punch(bench))[0], Received)
    assert bench.state() != before


def test_garbage_is_met_with_silence(unchanged: Bench) -> None:
    garbage = struct.pack("<200H", *(n * 7919 % 65536 for n in range(200)))
    assert unchanged.send(garbage + b"\0" * 50 + b"\xff" * 300 + b"\0") == []
    assert unchanged.port.exchange.statistics.bad_frames > 0


def test_a_mebibyte_of_garbage_before_a_good_frame(unchanged: Bench) -> None:
    block = bytes(n * 31 % 251 + 1 for n in range(4096))
    garbage = b"".join(block + b"\0" * (n % 3) for n in range(MIB // len(block)))
    assert len(garbage) >= MIB
    echo = frame(Echo(data=b"still here"), unchanged.link_id, 500)
    assert unchanged.send(garbage + echo) == [EchoDone(data=b"still here")]


def test_truncated_frame_at_every_length(unchanged: Bench) -> None:
    whole = punch(unchanged)
    for size in range(1, len(whole) - 1):
        assert unchanged.send(whole[:size] + b"\0") == []


def test_every_single_bit_of_a_punch_flipped(unchanged: Bench) -> None:
    whole = punch(unchanged)
    for bit in range(8, 8 * (len(whole) - 1)):
        hit = bytearray(whole)
        hit[bit // 8] ^= 1 << bit % 8
        assert unchanged.send(bytes(hit) + b"\0") == []


def test_oversized_frame(unchanged: Bench) -> None:
    payload = b"\x11" * 300
    body = pack_header(0x10, 0, Punch.ID, 1, unchanged.link_id, 500, 0, 255) + payload
    assert unchanged.send(seal(body)) == []


def test_spliced_frames(unchanged: Bench) -> None:
    whole, other = punch(unchanged), frame(Arm(), unchanged.link_id, 501)
    for at in range(1, len(other) - 1):
        spliced = whole[:at] + other[at:-1] + b"\0"
        assert spliced == other or unchanged.send(spliced) == []


def test_frame_whose_length_lies(unchanged: Bench) -> None:
    payload = encode_payload(Punch(cycle_no=1, depth_um=2000, deadline_ms=0x7000_0000))
    for claimed in (0, len(payload) - 1, len(payload) + 1, 255):
        head = pack_header(0x10, 0, Punch.ID, 1, unchanged.link_id, 500, 0, claimed)
        assert len(head) == HEADER_SIZE
        assert unchanged.send(seal(head + payload)) == []


# --- frames that cannot be taken -----------------------------------------------------------------------------


def test_wrong_major(unchanged: Bench) -> None:
    payload = encode_payload(Punch(cycle_no=1, depth_um=2000, deadline_ms=0x7000_0000))
    raw = seal(pack_header(0x20, 0, Punch.ID, 1, unchanged.link_id, 500, 0, len(payload)) + payload)
    ((header, answer),) = unchanged.send_raw(raw)
    nak = nak_of([answer])
    assert (nak.code, nak.expected, nak.actual) == (Code.E_VERSION, 1, 2)
    assert (header.correlation_id, header.link_id) == (500, unchanged.link_id)


def test_hello_of_no_common_major_or_schema_leaves_the_link(unchanged: Bench) -> None:
    nak = nak_of(unchanged.send(frame(hello(majors=4, nonce=9, host_id=HOLDER), 0, 500)))
    assert (nak.code, nak.expected, nak.actual) == (Code.E_VERSION, 2, 4)
    nak = nak_of(unchanged.send(frame(hello(schema_id=9, nonce=9, host_id=HOLDER), 0, 500)))
    assert (nak.code, nak.expected, nak.actual) == (Code.E_SCHEMA, schema_id(0), 9)


def test_hello_of_nobody_leaves_the_link(unchanged: Bench) -> None:
    """WELCOME says by 0 that nobody holds control."""
    nak = nak_of(unchanged.send(frame(hello(nonce=9, host_id=0), 0, 500)))
    assert (nak.code, nak.expected, nak.actual) == (Code.E_ARGUMENT, 1, 0) and "host_id 0" in nak.sentence


def test_must_understand_flag(unchanged: Bench) -> None:
    assert nak_of(unchanged.send(punch(unchanged, flags=0x20))).code is Code.E_UNSUPPORTED


def test_another_links_frame(unchanged: Bench) -> None:
    raw = frame(Punch(cycle_no=1, depth_um=2000, deadline_ms=0x7000_0000), unchanged.link_id + 1, 500)
    ((header, answer),) = unchanged.send_raw(raw)
    nak = nak_of([answer])
    assert (nak.code, nak.expected, nak.actual) == (Code.E_LINK, unchanged.link_id, unchanged.link_id + 1)
    assert (header.correlation_id, header.link_id) == (500, unchanged.link_id + 1)


def test_unknown_message(unchanged: Bench) -> None:
    raw = encode_frame(Kind.COMMAND, 0x0399, b"\1\2\3", link_id=unchanged.link_id, correlation_id=500)
    ((header, answer),) = unchanged.send_raw(raw)
    assert refusal_of([answer]).code is Code.E_UNKNOWN_MESSAGE and header.correlation_id == 500


@pytest.mark.parametrize("size", [0, 4, 9])
def test_short_payload(unchanged: Bench, size: int) -> None:
    raw = encode_frame(Kind.COMMAND, Punch.ID, b"\1" * size, link_id=unchanged.link_id, correlation_id=500)
    assert refusal_of(unchanged.send(raw)).code is Code.E_ARGUMENT


def test_reply_to_a_device(unchanged: Bench) -> None:
    """Only a device replies: it hears itself."""
    echoes = unchanged.port.exchange.statistics.echoes
    for correlation_id in (0, 500):
        assert unchanged.send(frame(StopDone(state=DeviceState.SAFE), unchanged.link_id, correlation_id)) == []
    assert unchanged.port.exchange.statistics.echoes == echoes + 2


# --- values --------------------------------------------------------------------------------------------------


def test_unknown_parameter(unchanged: Bench) -> None:
    assert refusal_of(unchanged.send(frame(ParamGet(name="warp"), unchanged.link_id, 500))).code is Code.E_ARGUMENT
    answer = refusal_of(unchanged.send(frame(ParamSet(name="warp", value=1.0), unchanged.link_id, 501)))
    assert answer.code in (Code.E_ARGUMENT, Code.E_RANGE)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_parameter_that_is_no_number(unchanged: Bench, value: float) -> None:
    payload = struct.pack("<32sd", b"heartbeat_armed_ms", value)
    raw = encode_frame(Kind.COMMAND, ParamSet.ID, payload, link_id=unchanged.link_id, correlation_id=500)
    answer = refusal_of(unchanged.send(raw))
    assert answer.code is Code.E_ARGUMENT and "value" in answer.sentence


@pytest.mark.parametrize(("name", "value"), [("lease_armed_ms", 1e9), ("lease_armed_ms", -1.0), ("seed", 3.0)])
def test_parameter_out_of_range(unchanged: Bench, name: str, value: float) -> None:
    answer = refusal_of(unchanged.send(frame(ParamSet(name=name, value=value), unchanged.link_id, 500)))
    assert answer.code is Code.E_RANGE


def test_unknown_enum_in_a_command(unchanged: Bench) -> None:
    raw = encode_frame(Kind.COMMAND, StreamSet.ID, b"\x63\x64\0", link_id=unchanged.link_id, correlation_id=500)
    assert refusal_of(unchanged.send(raw)).code is Code.E_ARGUMENT
    close = SessionClose(
        session_no=1, reason=CloseReason.UNKNOWN, cycles=0, completed=0, aborted=0, ambiguous=0, punctures=0,
        cores_counted=0,
    )  # fmt: skip
    assert refusal_of(unchanged.send(frame(close, unchanged.link_id, 501))).code is Code.E_ARGUMENT
    assert unchanged.port.stream_us == 0 and StreamSet.FIELDS["stream"].kind is Stream


@pytest.mark.parametrize(("depth_um", "cycle_no"), [(0, 1), (0xFFFF, 1), (2000, 0), (2000, 7)])
def test_punch_with_a_wrong_argument(unchanged: Bench, depth_um: int, cycle_no: int) -> None:
    command = Punch(cycle_no=cycle_no, depth_um=depth_um, deadline_ms=0x7000_0000)
    assert isinstance(unchanged.ask(command), Refused)


# --- too late, twice, in the wrong order ---------------------------------------------------------------------


def test_command_past_its_deadline(unchanged: Bench) -> None:
    past = unchanged.device.board.uptime_ms(unchanged.now) - 1
    command = Punch(cycle_no=1, depth_um=2000, deadline_ms=past)
    assert refusal_of(unchanged.send(frame(command, unchanged.link_id, 500))).code is Code.E_EXPIRED


def test_duplicate_is_answered_from_memory(unchanged: Bench) -> None:
    raw = frame(Arm(), unchanged.link_id, 4, flags=RETRANSMIT)
    ((header, answer),) = unchanged.send_raw(raw)
    assert isinstance(answer, ArmDone) and header.flags == REPLAYED and header.correlation_id == 4


def test_late_duplicate_that_is_forgotten_is_expired(bench: Bench) -> None:
    for _ in range(9):
        assert isinstance(bench.ask(Pause()), PauseDone)
        bench.ask(Resume())
    before = bench.state()
    for late in (1, 2, 3, 4):
        raw = frame(Disarm(), bench.link_id, late, flags=RETRANSMIT)
        assert refusal_of(bench.send(raw)).code is Code.E_EXPIRED
    assert bench.state() == before


def test_late_order_after_a_stop_is_expired(bench: Bench) -> None:
    bench.ask(Pause())
    late = bench.correlation_id + 1
    stop = frame(Stop(), bench.link_id, late + 1)
    assert any(isinstance(answer, StopDone) for answer in bench.send(stop))  # a heartbeat tells of SAFE beside it
    before = bench.state()
    for command in (Resume(), Arm(), Punch(cycle_no=1, depth_um=2000, deadline_ms=0x7000_0000)):
        assert refusal_of(bench.send(frame(command, bench.link_id, late))).code is Code.E_EXPIRED
    assert bench.state() == before and bench.device.board.state is DeviceState.SAFE


def test_punch_twice_moves_once(bench: Bench) -> None:
    raw = punch(bench)
    (first,) = bench.send(raw + raw)
    assert isinstance(first, Received) and bench.send(raw + raw) == [first, first]
    assert bench.device.plant.truth.cycles_commanded == 1


def test_reordered_commands(bench: Bench) -> None:
    first = bench.send(frame(Resume(), bench.link_id, 501))
    before = bench.state()
    late = bench.send(frame(Pause(), bench.link_id, 500))
    assert [refusal_of(answers).code for answers in (first, late)] == [Code.E_STATE, Code.E_EXPIRED]
    assert bench.state() == before and bench.device.board.state is DeviceState.ARMED


def test_duplicate_hello_does_not_break_the_link(unchanged: Bench) -> None:
    ((header, answer),) = unchanged.send_raw(frame(hello(host_id=HOLDER), 0, 1))
    assert isinstance(answer, Welcome) and header.flags == REPLAYED and answer.link_id == unchanged.link_id


# --- who may -------------------------------------------------------------------------------------------------

ORDERS = [model for model in REGISTRY.values() if model.LANE is Lane.MOTION]
PLAIN: dict[type, Message] = {
    ParamSet: ParamSet(name="heartbeat_armed_ms", value=100.0),
    AlarmAck: AlarmAck(code=1501),
    Disarm: Disarm(),
    Pause: Pause(),
    Arm: Arm(),
    Resume: Resume(),
    Punch: Punch(cycle_no=1, depth_um=2000, deadline_ms=0x7000_0000),
    Reposition: Reposition(zone=0, cell=1),
}


@pytest.mark.parametrize("command", PLAIN.values(), ids=lambda command: type(command).__name__)
@pytest.mark.parametrize(
    ("role", "code", "actual"), [(Role.CONTROLLER, Code.E_BUSY, HOLDER), (Role.VIEWER, Code.E_AUTH, 0)]
)
def test_nobody_else_may_command(unchanged: Bench, command: Message, role: Role, code: Code, actual: int) -> None:
    assert type(command) in ORDERS
    other = unchanged.device.attach("second")
    link_id = unchanged.connect(other, hello(host_id=6, role=role))
    refusals = unchanged.refusals()
    answer = refusal_of(unchanged.send(frame(command, link_id, 2), other))
    assert (answer.code, answer.actual) == (code, actual)
    assert unchanged.refusals() == refusals
    assert unchanged.port.exchange.take() == []


@pytest.mark.parametrize("role", [Role.CONTROLLER, Role.VIEWER])
def test_nobody_else_may_acknowledge_the_journal(unchanged: Bench, role: Role) -> None:
    other = unchanged.device.attach("second")
    link_id = unchanged.connect(other, hello(host_id=6, role=role))
    nvm = unchanged.device.nvm
    command = JournalAck(epoch=nvm.epoch, upto=nvm.head)
    assert refusal_of(unchanged.send(frame(command, link_id, 2), other)).code in (Code.E_AUTH, Code.E_BUSY)


def test_viewer_may_ask_and_does_not_renew_the_holders_lease(bench: Bench) -> None:
    other = bench.device.attach("second")
    link_id = bench.connect(other, hello(host_id=6, role=Role.VIEWER))
    assert isinstance(bench.send(frame(DeviceInfo(), link_id, 2), other)[0], DeviceInfoDone)
    assert isinstance(bench.send(frame(ParamGet(name="lease_armed_ms"), link_id, 3), other)[0], ParamGetDone)
    for n in range(8):
        bench.now = Micros(bench.now + 100_000)
        bench.send(frame(Echo(data=b""), link_id, 4 + n), other)
        bench.device.advance(bench.now)
    assert not bench.port.exchange.linked and bench.device.board.state is DeviceState.SAFE


def test_viewer_may_stop(bench: Bench) -> None:
    other = bench.device.attach("second")
    link_id = bench.connect(other, hello(host_id=6, role=Role.VIEWER))
    assert StopDone in [type(answer) for answer in bench.send(frame(Stop(), link_id, 2), other)]
    assert bench.device.board.state is DeviceState.SAFE
    assert bench.device.control.holder is bench.port


def test_link_ids_skip_0(bench: Bench) -> None:
    bench.device.nvm.link_count = 0xFFFE
    other = bench.device.attach("second")
    ids = [bench.connect(other, hello(host_id=6, role=Role.VIEWER, nonce=n)) for n in range(3)]
    assert ids == [0xFFFF, 1, 2] and bench.device.nvm.link_count == 0x1_0002


def test_acknowledging_no_alarm_is_refused(unchanged: Bench) -> None:
    answer = unchanged.ask(AlarmAck(code=9))
    assert isinstance(answer, Refused) and answer.code is Code.E_ARGUMENT and AlarmAckDone.ID == AlarmAck.ID
    assert answer.sentence == "there is no alarm MC-0009"


def test_a_flood_of_hellos_is_granted_ten_links_a_second(bench: Bench) -> None:
    """Each costs the memory a write: the rest is passed over without one, and without a word."""
    flooded, granted = bench.device.attach("flooded"), bench.device.nvm.link_count
    greetings = [frame(hello(host_id=9, nonce=number), 0, number) for number in range(1, 21)]
    answers = bench.send(b"".join(greetings), flooded)
    assert [type(answer) for answer in answers] == [Welcome] * 10
    assert bench.device.nvm.link_count == granted + 10
    assert bench.send(greetings[-1], flooded) == []
    bench.connect(bench.device.attach("another"), hello(host_id=10))
    bench.now = Micros(bench.now + SECOND)
    bench.connect(flooded, hello(host_id=9))
