"""Frames, links and leases of the device in C: what comes back, and at which millisecond."""

import random

import pytest

from protocols.language import messages as M
from protocols.language.checksum import crc32c
from protocols.language.enums import AlarmState, ByeReason, Code, DeviceState, Ending, Kind, NeedleOutcome, Phase, Role
from protocols.language.layouts import layout
from protocols.language.message import REGISTRY, Message
from protocols.language.records import Cycle, decode_record, split_records, unpack_outcomes
from protocols.language.schema import schema_id
from protocols.language.version import MAJOR
from protocols.link.header import MUST_UNDERSTAND, REPLAYED, RETRANSMIT
from protocols.link.port import BadFrame, Envelope
from protocols.serial.framing import pack_crc, pack_header, stuff
from protocols.serial.payload import encode_message
from tests import vectors
from tests.integration.c_device.built_device import Bench, Host


def codes(messages: list[Message]) -> list[Code]:
    """What they refuse for."""
    return [message.code for message in messages if isinstance(message, M.Nak | M.Refused)]


def test_a_hello_that_comes_again_is_given_the_same_welcome(host: Host) -> None:
    first = host.link()
    again = host.send(host.hello(), link_id=0, correlation_id=1, flags=RETRANSMIT)
    assert again == [first]
    assert host.send(host.hello(nonce=2), link_id=0)[0].link_id != first.link_id  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"majors": 4}, Code.E_VERSION),
        ({"schema_id": 5}, Code.E_SCHEMA),
        ({"minor": 0, "schema_id": schema_id(1)}, Code.E_SCHEMA),
        ({"host_id": 0}, Code.E_ARGUMENT),
    ],
)
def test_a_hello_that_is_denied(changed: dict[str, object], code: Code, host: Host) -> None:
    assert codes(host.send(host.hello(**changed), link_id=0)) == [code]


@pytest.mark.parametrize(("minor", "schema"), [(0, schema_id(0)), (0, 0), (1, schema_id(1)), (9, 12345)])
def test_both_minors_link_and_a_later_one(minor: int, schema: int, host: Host) -> None:
    assert host.link(minor=minor, schema_id=schema).schema_id == schema_id(min(minor, 1))


def test_a_host_that_takes_too_little_is_denied(bench: Bench, host: Host) -> None:
    payload = layout(M.Hello).encode(host.hello(max_payload_size=131))
    assert payload[20] == 131
    for size, right in ((0, 131), (130, 131), (225, 224)):
        (nak,) = bench.give(0, frame_of(Kind.LINK, M.Hello.ID, payload[:20] + bytes([size]) + payload[21:]))
        assert isinstance(nak, Envelope) and isinstance(nak.message, M.Nak) and nak.message.code is Code.E_ARGUMENT
        assert "max_payload_size" in nak.message.sentence
        assert (nak.message.expected, nak.message.actual) == (right, size)


@pytest.mark.parametrize("size", [131, 224])
def test_a_page_and_an_echo_fit_what_the_host_takes(size: int, host: Host) -> None:
    welcome = host.link(max_payload_size=size)
    for _ in range(8):
        assert codes(host.send(M.Arm())) == [Code.E_STATE]  # each leaves a record
    page = host.ask(M.JournalRead(epoch=welcome.journal_epoch, first=1, max_records=255))
    assert isinstance(page, M.JournalPage) and len(page.records) // 32 == (3 if size == 131 else 6)
    assert isinstance(host.ask(M.Echo(data=bytes(size))), M.EchoDone)
    assert size == 224 or codes([host.ask(M.Echo(data=bytes(size + 1)))]) == [Code.E_RANGE]


def test_at_most_ten_links_a_second(host: Host) -> None:
    answers = [host.send(host.hello(nonce=nonce), link_id=0) for nonce in range(1, 13)]
    assert [len(answer) for answer in answers] == [1] * 10 + [0] * 2
    host.bench.wait(1001)
    assert len(host.send(host.hello(nonce=99), link_id=0)) == 1


def test_at_most_ten_naks_a_second(host: Host) -> None:
    assert sum(len(host.send(M.HostHeartbeat(), link_id=77)) for _ in range(30)) == 10
    host.bench.wait(1001)
    assert codes(host.send(M.HostHeartbeat(), link_id=77)) == [Code.E_LINK]


def test_a_command_that_comes_again_is_answered_from_memory(host: Host) -> None:
    host.link()
    first = host.open_session()
    (again,) = host.bench.give(
        0,
        encode_message(
            M.SessionOpen(target_cores=60, coverage_bp=600, depth_um=3000, zones_cm2=(5,)),
            host.seq,
            host.link_id,
            host.correlation_id,
            RETRANSMIT,
        ),
    )
    assert isinstance(again, Envelope) and again.message == first and again.header.flags & REPLAYED
    other = host.send(M.Stop(), correlation_id=host.correlation_id)
    assert codes(other) == [Code.E_EXPIRED], "another command under a number that is used up"


def test_a_motion_that_is_older_than_a_stop_is_expired(host: Host) -> None:
    host.arm()
    host.send(M.Stop(), correlation_id=500)
    assert codes(host.send(M.FaultReset(), correlation_id=499)) == [Code.E_EXPIRED]
    assert isinstance(host.send(M.FaultReset(), correlation_id=501)[0], M.FaultResetDone)


def test_sixteen_motions_are_remembered_and_the_one_that_runs(host: Host) -> None:
    host.arm()
    punch = host.punch()
    host.send(punch)
    running = host.correlation_id
    for _ in range(16):
        assert codes(host.send(M.Arm())) == [Code.E_STATE]
    again = host.send(punch, correlation_id=running, flags=RETRANSMIT)
    assert [type(message) for message in again] == [M.Received]
    host.bench.wait(100)
    again = host.send(punch, correlation_id=running, flags=RETRANSMIT)
    assert [type(message) for message in again] == [M.PunchDone], "and nothing moved twice"


def test_a_host_that_asked_for_half_a_circle_may_still_move(host: Host) -> None:
    host.link()
    host.open_session()
    for correlation_id in range(0x100, 0x8200, 0x100):
        host.send(M.AlarmList(index=0), correlation_id=correlation_id)
    start = M.AnesthesiaStart(zone=0, age_s=0, method="")
    assert isinstance(host.send(start, correlation_id=0x8200)[0], M.AnesthesiaStartDone)


def test_the_lease_ends_at_its_millisecond(host: Host) -> None:
    welcome = host.arm()
    host.send(host.punch())
    heard = host.bench.now_ms
    host.bench.wait(welcome.lease_armed_ms - 1)
    assert not [message for message in host.told if isinstance(message, M.Alarm)]
    assert host.bench.said[-1][0] >= heard + 400, "it beats"
    viewer = Host(host.bench, 1, host_id=2, role=Role.VIEWER)
    assert viewer.link().state is DeviceState.PUNCHING
    host.bench.wait(2)
    alarms = [item for _, port, item in host.bench.said if port == 1]
    assert any(isinstance(item, Envelope) and isinstance(item.message, M.Alarm) for item in alarms)
    viewer.seq = 0
    after = viewer.link(nonce=5)
    assert after.state is DeviceState.SAFE and after.controller_host_id == 0


def test_a_lost_link_ends_the_cycle_and_latches_its_alarm(host: Host) -> None:
    host.arm()
    host.cycle(1)
    host.send(host.punch(2))
    host.bench.wait(10)
    host.send(M.Bye(reason=ByeReason.CLOSING))
    welcome = host.link()
    assert (welcome.state, welcome.cycle_no, welcome.cycles) == (DeviceState.SAFE, 2, 2)
    page = host.ask(M.JournalRead(epoch=welcome.journal_epoch, first=1, max_records=255))
    records = []
    while isinstance(page, M.JournalPage) and page.records:
        records += [decode_record(raw) for raw in split_records(page.records)]
        page = host.ask(M.JournalRead(epoch=welcome.journal_epoch, first=len(records) + 1, max_records=255))
    assert [record.event_no for record in records if record is not None] == list(range(1, len(records) + 1))
    last = [record for record in records if isinstance(record, Cycle)][-1]
    assert (last.cycle_no, last.ending, last.phase) == (2, Ending.ABORTED, Phase.PUNCH)
    assert unpack_outcomes(last.outcomes, last.needles) == [NeedleOutcome.UNCOUNTED] * 3
    alarm = host.ask(M.AlarmList(index=0))
    assert isinstance(alarm, M.AlarmListDone) and (alarm.code, alarm.state) == (1501, AlarmState.LATCHED)
    again = host.ask(host.punch(2))
    assert isinstance(again, M.Aborted) and again.ending is Ending.ABORTED
    host.bench.wait(100)  # the needles are home again
    reset = host.ask(M.FaultReset())
    assert isinstance(reset, M.FaultResetDone) and (reset.state, reset.alarms) == (DeviceState.SESSION_OPEN, 0)


def test_what_only_a_device_says_is_an_echo(host: Host) -> None:
    """It is not answered, and does not keep the link of a host that is gone."""
    welcome = host.link()
    beat = host.bench.wait(welcome.heartbeat_idle_ms)
    (at_ms, item) = beat[-1]
    assert isinstance(item, Envelope) and isinstance(item.message, M.Heartbeat) and at_ms == host.bench.now_ms
    for _ in range(3):
        host.bench.wait(welcome.lease_idle_ms // 3 - 1)
        assert host.send(item.message) == []
    host.bench.wait(10)
    assert codes(host.send(M.HostHeartbeat())) == [Code.E_LINK]


def test_a_flag_that_must_be_understood_is_answered_by_a_nak(host: Host) -> None:
    host.link()
    for flag in (0x10, 0x20, MUST_UNDERSTAND):
        assert codes(host.send(M.Stop(), flags=flag)) == [Code.E_UNSUPPORTED]
    assert [type(message) for message in host.send(M.Stop(), flags=0xC0)] == [M.StopDone]


def test_viewers_leave_a_place_for_a_controller(bench: Bench) -> None:
    for port in range(15):
        Host(bench, port, host_id=port + 10, role=Role.VIEWER).link()
    last = Host(bench, 15, host_id=99, role=Role.VIEWER)
    assert codes(last.send(last.hello(), link_id=0)) == [Code.E_BUSY]
    assert Host(bench, 15, host_id=98).link().role is Role.CONTROLLER


def test_one_link_commands_and_any_may_stop(bench: Bench, host: Host) -> None:
    host.link()
    host.open_session()
    rival, viewer = Host(bench, 1, host_id=2), Host(bench, 2, host_id=3, role=Role.VIEWER)
    assert rival.link().controller_host_id == 1
    viewer.link()
    refused = rival.send(M.AnesthesiaStart(zone=0, age_s=0, method=""))
    assert isinstance(refused[0], M.Refused) and (refused[0].code, refused[0].actual) == (Code.E_BUSY, 1)
    assert codes(viewer.send(M.Arm())) == [Code.E_AUTH]
    assert codes(viewer.send(M.JournalAck(epoch=1, upto=1))) == [Code.E_AUTH]
    assert isinstance(viewer.send(M.Stop())[0], M.StopDone)
    assert rival.link(nonce=8).state is DeviceState.SAFE


def test_a_host_that_greets_on_another_port_leaves_the_first(bench: Bench, host: Host) -> None:
    host.link()
    elsewhere = Host(bench, 1, host_id=host.host_id)
    elsewhere.link()
    byes = [item.message for _, port, item in bench.said if port == 0 and isinstance(item, Envelope)]
    assert byes[-1] == M.Bye(reason=ByeReason.REPLACED)


FRAMES = vectors.load("frames.json")


@pytest.mark.parametrize("whole", [True, False])
def test_golden_frames_and_streams_are_taken_as_they_are(whole: bool, bench: Bench) -> None:
    """None of them ends the device; bytes that are no frame are never answered, frames with a right checksum mostly."""
    for vector in [*FRAMES["frames"], *FRAMES["streams"]]:
        data = bytes.fromhex(vector["hex"])
        found = bench.give(0, data) if whole else [item for byte in data for item in bench.give(0, bytes([byte]))]
        if vector.get("outcome") == "bad frame":
            assert not found, vector["name"]
        bench.wait(200)
    bench.give(0, b"\0")  # the last stream may have ended in the midst of a frame
    host = Host(bench)
    host.link()
    assert host.ask(M.Echo(data=b"there")) == M.EchoDone(data=b"there")


def frame_of(kind: Kind, message_id: int, payload: bytes, *, link_id: int = 0, correlation_id: int = 1) -> bytes:
    """Make a frame with a right checksum, whatever its payload is."""
    body = pack_header(MAJOR << 4 | kind, 0, message_id, 1, link_id, correlation_id, 0, len(payload)) + payload
    return b"\0" + stuff(body + pack_crc(crc32c(body))) + b"\0"


def mutated(rng: random.Random, frames: list[bytes]) -> bytes:
    """Make bytes that are nearly frames: bits flipped, cut, joined, too long, or nothing but noise."""
    data = bytearray(b"".join(rng.choice(frames) for _ in range(rng.randrange(1, 4))))
    match rng.randrange(5):
        case 0:
            for _ in range(rng.randrange(1, 4)):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        case 1:
            del data[rng.randrange(len(data)) :]
        case 2:
            at = rng.randrange(len(data))
            data[at:at] = rng.randbytes(rng.randrange(300))
        case 3:
            data[:] = bytes(rng.randrange(1, 256) for _ in range(rng.randrange(1, 2000)))
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
def test_bad_bytes_bring_no_report_of_a_sanitizer(seed: int, bench: Bench, host: Host) -> None:
    """Every payload of right checksum and wrong content as well: random bytes under each id, on the link."""
    rng = random.Random(f"c_device:{seed}")
    host.link()
    frames = [bytes.fromhex(vector["hex"]) for vector in FRAMES["frames"]]
    ids = sorted({model.ID for model in REGISTRY.values()} - {M.Bye.ID})
    for number in range(400):
        bench.give(0, mutated(rng, frames))
        payload, kind = rng.randbytes(rng.randrange(200)), rng.choice((Kind.COMMAND, Kind.COMMAND, *Kind))
        bench.give(0, frame_of(kind, rng.choice(ids), payload, link_id=host.link_id, correlation_id=number + 1))
        if number % 8 == 0:
            bench.wait(rng.randrange(200))
        if number % 50 == 0:
            host.link(nonce=number + 2)
    bench.wait(60_000)
    host.link(nonce=7777)
    assert host.ask(M.Echo(data=b"there")) == M.EchoDone(data=b"there")


def test_the_bench_shows_bad_frames_of_the_device_itself(bench: Bench, host: Host) -> None:
    host.link()
    bench.wait(20_000)
    assert not [item for _, _, item in bench.said if isinstance(item, BadFrame)]
