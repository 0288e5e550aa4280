"""Traces: everything on the wire is shown, in words and with units, and nothing that came over it can do harm."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import trace
from protocols.language.enums import ByeReason, DeviceState, Ending, Kind, Phase
from protocols.language.layouts import layout
from protocols.language.messages import (
    Bye,
    Event,
    Heartbeat,
    HostHeartbeat,
    JournalPage,
    ParamGet,
    Punch,
    SessionOpen,
    StopDone,
    TelemetryState,
    Welcome,
)
from protocols.language.records import Cycle, Gap, encode_record
from protocols.language.units import SECOND, Micros
from protocols.link.header import REPLY_WANTED, RETRANSMIT
from protocols.mqtt.bodies import encode_body
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire, Publication
from protocols.serial.payload import decode_payload, encode_message
from protocols.text import notice
from protocols.trace import Tracer
from tests.unit.protocols.language.altered import altered
from tests.unit.protocols.serial.frames import encode_frame

PUNCH = Punch(cycle_no=7, depth_um=3000, deadline_ms=9000)
NOW = Micros(3_204_000)


def described(wire: bytes, sender: str = "host") -> list[str]:
    return Tracer().describe(sender, wire, NOW)


def zero(model: Any, **values: Any) -> Any:
    """A message of zeros, but for `values`."""
    return altered(decode_payload(model, bytes(layout(model).size)), **values)


def test_heading_is_the_notice() -> None:
    assert trace.HEADING == notice.NOTICE == "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"


def test_command_with_flags_and_units() -> None:
    wire = encode_message(PUNCH, seq=12, link_id=1, correlation_id=13, flags=REPLY_WANTED | RETRANSMIT)
    assert described(wire) == [
        "    3.204000 s host>device  COMMAND   Punch  seq=12 link=1 correlation=13 [REPLY_WANTED RETRANSMIT]"
        "  cycle_no=7 depth_um=3000 um deadline_ms=9000 ms"
    ]


def test_time_is_exact_however_late() -> None:
    wire = encode_message(PUNCH, seq=1)
    (line,) = Tracer().describe("host", wire, Micros(123_456_789 * SECOND + 1))
    assert line.startswith("123456789.000001 s ")


def test_enumerators_numbers_and_bytes() -> None:
    (line,) = described(encode_message(zero(TelemetryState, vacuum_pa=-52_000), seq=1), "device")
    assert "device>host  TELEMETRY TelemetryState  seq=1 link=0 correlation=0  uptime_ms=0 ms state=OFF " in line
    assert "vacuum_pa=-52000 Pa" in line
    plan = SessionOpen(target_cores=9, coverage_bp=600, depth_um=3000, zones_cm2=(2, 3))
    (line,) = described(encode_message(plan, seq=1))
    assert line.endswith("coverage_bp=600 0.01 % depth_um=3000 um zones_cm2=(2, 3) cm2")


def test_bad_frame_shows_reason_checksums_and_bytes() -> None:
    wire = bytearray(encode_message(PUNCH, seq=1))
    wire[-2] ^= 0x40
    (line,) = described(bytes(wire))
    words = line.split()
    assert words[3:6] == ["BAD", "FRAME", "crc"]
    expected, received = (int(words[index].strip(",()"), 16) for index in (7, 9))
    assert expected ^ received == 0x40 << 24
    assert words[-2:] == ["hex", wire[1:-1].hex()]
    assert described(b"\x05\x11\0") == ["    3.204000 s host>device  BAD FRAME cobs  hex 0511"]


def test_unknown_message_shows_id_and_payload() -> None:
    (line,) = described(encode_frame(Kind.BULK, 0x7FF0, b"\x01\x02", seq=1, flags=0x90))
    assert line.endswith(
        "BULK      UNKNOWN 0x7ff0  seq=1 link=0 correlation=0 [MUST_UNDERSTAND_4 IGNORABLE_7]  hex 0102"
    )


@pytest.mark.parametrize("wire", ["bytes", "publication"])
def test_an_end_that_hears_itself_is_said(wire: str) -> None:
    """Of what either end may send, nobody can tell."""
    topics = DeviceTopics("bench", "sim-7")
    for message, sender in (
        (PUNCH, "device"),
        (HostHeartbeat(), "device"),
        (zero(Heartbeat), "host"),
        (zero(Welcome, lease_armed_ms=1, lease_idle_ms=1), "host"),
        (zero(TelemetryState), "host"),
    ):
        said: bytes | Publication = encode_message(message, seq=1)
        if wire == "publication":
            said = Publication(topics.of("reply", "me"), encode_body(message, 1, 0, 0, 0))
        _, echo, *_ = Tracer().describe(sender, said, NOW)
        assert echo.strip() == "THE LINE ECHOES: only the receiver sends this, and heard itself"
        other = "host" if sender == "device" else "device"
        assert not any("ECHO" in line for line in Tracer().describe(other, said, NOW))
    for sender in ("host", "device"):
        assert len(described(encode_message(Bye(reason=ByeReason.CLOSING), seq=1), sender)) == 1


def test_other_major_and_kind_are_shown() -> None:
    (line,) = described(encode_frame(8, 1, b""))
    assert "MAJOR" not in line
    assert "KIND_8" in line
    (line,) = described(encode_frame(0x20, Punch.ID, bytes(10)))  # what is over a nibble is in the major's
    assert "MAJOR 3 COMMAND   Punch" in line


def test_payload_that_does_not_fit_shows_why() -> None:
    (line,) = described(encode_frame(Kind.COMMAND, Punch.ID, b"\x01\x02"))
    assert line.endswith("BAD PAYLOAD 'Punch: payload of 2 B, needs 10 B'  hex 0102")


def test_text_cannot_command_a_terminal() -> None:
    (line,) = described(encode_message(ParamGet(name="\x1b[2J\r\n\x9b\u202e"), seq=1))
    assert line.isprintable()
    assert r"name='\x1b[2J\r\n\x9b\u202e'" in line


def test_records_of_a_page_have_a_line_each() -> None:
    cycle = Cycle(
        event_no=5,
        uptime_ms=6,
        ending=Ending.COMPLETED,
        phase=Phase.COUNT,
        needles=3,
        cycle_no=7,
        outcomes=0x111,
        cell=0,
        depth_um=3000,
        total_punctures=21,
        total_cores_counted=20,
    )
    raw = encode_record(Gap(event_no=1, uptime_ms=2, missing=4)) + encode_record(cycle)
    first, gap, second = described(encode_message(zero(JournalPage, records=raw), seq=1), "device")
    assert "JournalPage" in first
    assert gap.strip() == "record 1 Gap  uptime_ms=2 ms missing=4"
    assert second.strip().startswith("record 5 Cycle  uptime_ms=6 ms ending=COMPLETED phase=COUNT needles=3 cycle_no=7")
    unknown = raw[:8] + b"\x63" + raw[9:32]
    assert described(encode_message(Event(record=unknown), seq=1), "device")[1].split()[:3] == [
        "record",
        "UNKNOWN",
        "99",
    ]
    assert (
        described(encode_message(Event(record=raw[:5]), seq=1), "device")[1]
        .strip()
        .startswith("BAD RECORD 'Record: 5 B")
    )
    assert described(encode_message(Event(record=b""), seq=1), "device")[0].endswith("record=-")


TOPICS = DeviceTopics("bench", "sim-7")


def test_a_publication_that_is_ignored_says_why() -> None:
    sent = HostWire(TOPICS, "host-1").encode(PUNCH, 12, 1, 13, 0)
    line, where = Tracer().describe("host", sent, NOW)
    assert "Punch  seq=12 link=1 correlation=13" in line and where.strip() == f"topic '{sent.topic}'"
    ignored = sent._replace(ignored="it has no Response Topic")
    assert Tracer().describe("host", ignored, NOW) == [line, where, " " * 12 + "IGNORED: it has no Response Topic"]
    bad = ignored._replace(body=b"{")
    assert Tracer().describe("host", bad, NOW)[1:] == [where, " " * 12 + "IGNORED: it has no Response Topic"]


def test_what_a_host_passes_over_since_it_is_retained_says_so() -> None:
    wire = DeviceWire(TOPICS, "host-1")
    answer = wire.encode(StopDone(state=DeviceState.SAFE), 1, 1, 1, 0)._replace(retain=True)
    assert HostWire(TOPICS, "host-1").feed(answer) == []
    _, where, why = Tracer().describe("device", answer, NOW)
    assert where.endswith(" RETAINED") and why.strip() == "IGNORED: retained, and so said to somebody else before"


def test_a_lease_switched_off_is_said() -> None:
    leases = {"lease_armed_ms": 600, "lease_idle_ms": 15_000}
    assert len(described(encode_message(zero(Welcome, **leases), seq=1), "device")) == 1
    said = {"lease_armed_ms": "THE LEASE IS SWITCHED OFF", "lease_idle_ms": "THE LEASE AT REST IS SWITCHED OFF"}
    for name, text in said.items():
        _, off = described(encode_message(zero(Welcome, **leases | {name: 0}), seq=1), "device")
        assert off.strip().startswith(text)
    assert len(described(encode_message(zero(Welcome), seq=1), "device")) == 3


def test_directions_do_not_mix_and_frames_may_come_in_pieces() -> None:
    host, device = encode_message(PUNCH, seq=1), encode_message(zero(Heartbeat), seq=2)
    tracer = Tracer()
    assert tracer.describe("host", host[:9], NOW) == []
    assert [line.split()[2] for line in tracer.describe("device", device, NOW)] == ["device>host"]
    assert [line.split()[2] for line in tracer.describe("host", host[9:], NOW)] == ["host>device"]
    with pytest.raises(KeyError):
        tracer.describe("viewer", b"", NOW)


@given(kind=st.integers(0, 15), message_id=st.integers(0, 0x0700), payload=st.binary(max_size=224))
def test_any_frame_has_a_line(kind: int, message_id: int, payload: bytes) -> None:
    lines = described(encode_frame(kind, message_id, payload))
    assert len(lines) >= 1
    assert all(line.isprintable() for line in lines)
