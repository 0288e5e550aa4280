"""The report's rules: each sentence appears where it is due and nowhere else; what is counted, of whom."""

import json
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.device import Device
from firmware_sim.memory.journal import FIRST_EVENT_NO, JOURNAL_SLOTS
from firmware_sim.model.parameters import Parameters
from firmware_sim.serve.errors import OptionError, ServeError
from firmware_sim.serve.report.report import Report, ReportFile, faults, to_text
from firmware_sim.serve.report.run import FOLD_EVERY
from firmware_sim.serve.report.tally import REMEDIES, VERDICTS, Closed, Refusals, Tally
from firmware_sim.serve.report.watch import MAX_HOSTS, MAX_PENDING
from protocols.language import messages as M
from protocols.language.checksum import crc32c
from protocols.language.enums import ByeReason, CloseReason, Code, DeviceState, Role
from protocols.language.message import REGISTRY, Message
from protocols.language.units import SECOND, Micros
from protocols.link.header import RETRANSMIT
from protocols.link.port import BadReason
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire, Publication
from protocols.serial.crc_mistakes import crc_mistake
from protocols.serial.diagnosis import Heard
from protocols.serial.framing import CRC_SIZE, pack_crc, stuff, unstuff
from protocols.serial.payload import encode_message
from protocols.serial.wire import SerialWire
from protocols.text.notice import NOTICE
from tests.unit.protocols.language.altered import zeros
from tests.unit.protocols.serial.frames import encode_frame

GOOD_COMMANDS: Final = Counter({"SessionOpen": 1, "JournalRead": 2, "JournalAck": 1})
GOOD: Final = Closed(1, CloseReason.COMPLETED, 10, 30)


def controller(**values: Any) -> Tally:
    """A host of which there is nothing to remark, but for `values`."""
    standard = {"role": Role.CONTROLLER, "links": 1, "cycles": 10, "commands": Counter(GOOD_COMMANDS)}
    return Tally(host_id=1, heartbeat_armed_ms=200, heartbeat_idle_ms=5000, **{**standard, **values})


def stranger(**values: Any) -> Tally:
    return Tally(transports=["tcp"], **values)


def verdict_of(tally: Tally) -> list[str]:
    return [finding.sentence for finding in tally.findings()]


def sent(*pieces: bytes) -> Heard:
    """What a decoder made of these."""
    wire = SerialWire()
    for piece in pieces:
        wire.feed(piece)
    return wire.heard


def wrong_crc(checksum: Callable[[bytes], int]) -> bytes:
    body = encode_frame(0, 1, b"\xa1\xa2")[1:-1]
    body = unstuff(body)[:-CRC_SIZE]
    return b"\0" + stuff(body + pack_crc(checksum(body))) + b"\0"


CASES: Final = [
    (
        stranger(bytes_received=45, frames_received=1),
        stranger(bytes_received=45, hellos=1),
        "It never said HELLO: 1 frame in 45 bytes.",
    ),
    (
        stranger(bytes_received=43, heard=sent(b'{"hello": "device"}')),
        stranger(bytes_received=43, frames_received=1, heard=sent(b'{"hello": "device"}')),
        'It never said HELLO: 0 frames in 43 bytes, which begin: {"hello": "device"}.',
    ),
    (
        stranger(bytes_received=2, heard=sent(b"\x01\x02")),
        stranger(bytes_received=2, heard=sent(b"\x03\x02")),
        "It never said HELLO: 0 frames in 2 bytes, which begin: hex 01 02.",
    ),
    (
        controller(line_flags=("ICRNL", "ECHO")),
        controller(),
        "On the line, the host left ICRNL, ECHO on: its terminal has to be raw.",
    ),
    (
        controller(heard=sent(b"\xff\xfd\x18")),
        controller(heard=sent(b"\xff\xf0\x18")),
        "On the line, the first bytes are Telnet negotiation: this port speaks Telnet or RFC 2217, and a raw one, "
        "or rfc2217://, is needed.",
    ),
    (
        controller(heard=sent(b"\0" + bytes(range(1, 14)) + b"\0")),
        controller(heard=sent(b"\0" + bytes(range(1, 14)) + b"\x80\0")),
        "On the line, 15 bytes came, all below 0x80: is the line set to 7 bits?",
    ),
    (stranger(hellos=2), controller(hellos=2), "Its HELLO was not granted."),
    (
        controller(echoes=2),
        controller(),
        "The line echoes: 2 frames of the device's own came back to it. Switch echo off: ECHO of the terminal "
        "(stty -echo, or raw mode), or what a two-wire adapter hears of itself.",
    ),
    (
        stranger(hellos=1, unanswerable=2),
        stranger(hellos=1),
        "2 publications had no Response Topic .../reply/CLIENT beside .../command/NAME: nobody could be answered.",
    ),
    (controller(closed=[GOOD]), controller(), "Good: 30 cores in 10 cycles, closed and reconciled."),
    (
        controller(closed=[Closed(2, CloseReason.ABORTED, 1, 3)]),
        controller(closed=[GOOD]),
        "Session 2 was closed as aborted: 3 cores in 1 cycle, reconciled.",
    ),
    (
        controller(closed=[Closed(2, CloseReason.ABANDONED, 1, 3)]),
        controller(closed=[GOOD]),
        "Session 2 was abandoned: its counts were never compared.",
    ),
    (controller(left_open=4), controller(), "It left the session open: session 4."),
    (
        controller(cycles=0, commands=Counter({"DeviceInfo": 1})),
        controller(cycles=0, commands=Counter({"DeviceInfo": 1}), closed=[GOOD]),
        "It linked as controller and opened no session.",
    ),
    (
        controller(leases_expired_armed=3),
        controller(leases_expired_idle=3),
        "The lease expired 3 times: heartbeats came too late (every 200 ms while armed).",
    ),
    (
        controller(leases_expired_idle=1),
        controller(leases_expired_armed=1),
        "The lease expired once at rest: silence without BYE (every 5 s while idle).",
    ),
    (
        controller(left_armed=Counter({"by BYE": 1})),
        controller(leases_expired_armed=1),
        "Its link ended once while armed, by BYE: MC-1501 was raised, and an open cycle ended ABORTED; DISARM comes "
        "first.",
    ),
    (
        controller(left_armed=Counter({"by BYE": 2, "with its connection": 1})),
        controller(),
        "Its link ended 3 times while armed, 2 by BYE, 1 with its connection: MC-1501 was raised, and an open cycle "
        "ended ABORTED; DISARM comes first.",
    ),
    (
        controller(lease_off=True),
        controller(),
        "The lease was switched off: with a real device its loss would have stopped the motion.",
    ),
    (
        controller(lease_at_rest_off=True),
        controller(lease_off=True),
        "The lease at rest was switched off: with a real device a long silence would have ended the link.",
    ),
    (
        controller(refusals={(Code.E_CYCLE_GAP, 0): Refusals("cycle 9 leaves a gap", 12)}),
        controller(),
        "12 commands were refused E_CYCLE_GAP: use last cycle_no + 1.",
    ),
    (
        controller(refusals={(Code.E_INTERLOCK, 8): Refusals("63 punctures in this cell.", 1)}),
        controller(refusals={(Code.E_STATE, 0): Refusals("PUNCH needs ARMED", 1)}),
        "1 command was refused E_INTERLOCK 8 (density): 63 punctures in this cell.",
    ),
    (
        controller(refusals={(Code.E_EXPIRED, 0): Refusals("too late by 3 ms", 2)}),
        controller(),
        f"2 commands were refused E_EXPIRED: {REMEDIES[Code.E_EXPIRED]}.",
    ),
    (
        stranger(hellos=1, naks={Code.E_SCHEMA: Refusals("schemas differ", 2)}),
        stranger(hellos=1),
        f"2 frames could not be taken, E_SCHEMA: {REMEDIES[Code.E_SCHEMA]}.",
    ),
    (
        controller(heard=Heard(bad=Counter({BadReason.CRC: 4, BadReason.SHORT: 1}))),
        controller(heard=Heard(bad=Counter({BadReason.SHORT: 1}))),
        "The CRC is wrong in 4 of 5 bad frames: check the polynomial (CRC-32C, not CRC-32) and what it is taken over.",
    ),
    (
        controller(heard=sent(wrong_crc(lambda body: crc32c(body) ^ 0xFFFF_FFFF))),
        controller(heard=Heard(bad=Counter({BadReason.CRC: 1}))),
        "The CRC is wrong in 1 of 1 bad frame: it is not complemented at the end.",
    ),
    (
        controller(heard=Heard(bad=Counter({BadReason.COBS: 2, BadReason.SHORT: 1}))),
        controller(heard=Heard(bad=Counter({BadReason.CRC: 2}))),
        "3 of 3 bad frames: no frame after unstuffing; COBS, and a zero on both sides of each frame.",
    ),
    (
        controller(heard=Heard(bad=Counter({BadReason.LENGTH: 1}))),
        controller(heard=Heard(bad=Counter({BadReason.CRC: 1}))),
        "The last byte of the header is wrong in 1 of 1 bad frame: it is the payload's size.",
    ),
    (
        controller(heard=Heard(bad=Counter({BadReason.OVERSIZE: 2}))),
        controller(heard=Heard(bad=Counter({BadReason.LENGTH: 2}))),
        "2 of 2 bad frames: more than 241 bytes without a zero.",
    ),
    (controller(failed=1), controller(), "1 motion FAILED, 0 motions ABORTED: see the journal."),
    (controller(aborted=2), controller(failed=2), "0 motions FAILED, 2 motions ABORTED: see the journal."),
    (
        controller(retransmits=5, replays=1),
        controller(replays=1),
        "It sent 5 frames again, and 1 answer came from memory: answers were lost, or its first retry is too early "
        "(200 ms).",
    ),
    (
        controller(commands=Counter({"SessionOpen": 1})),
        controller(commands=Counter({"SessionOpen": 1, "JournalRead": 1})),
        "It never read the journal: a count is a fold of its records, not of replies.",
    ),
    (
        controller(commands=Counter({"SessionOpen": 1, "JournalRead": 1})),
        controller(commands=Counter({"SessionOpen": 1})),
        "It never acknowledged the journal: PUNCH is refused E_STORAGE once that is full.",
    ),
]
"""A host of which it is said, one of which it is not, and the sentence."""


@pytest.mark.parametrize(("said_of", "not_of", "sentence"), CASES, ids=[sentence[:40] for _, _, sentence in CASES])
def test_sentence(said_of: Tally, not_of: Tally, sentence: str) -> None:
    assert sentence in verdict_of(said_of)
    assert sentence not in verdict_of(not_of)


def test_every_rule_has_a_case_and_none_holds_always() -> None:
    for number, rule in enumerate(VERDICTS):
        assert any(rule.holds(said_of) for said_of, _, _ in CASES), f"no case for rule {number}"
        assert not all(rule.holds(tally) for case in CASES for tally in case[:2]), f"rule {number} holds always"


def test_a_code_stands_beside_each_sentence_and_each_rule_has_its_own() -> None:
    assert len({rule.code for rule in VERDICTS}) == len(VERDICTS)
    for rule in VERDICTS:
        said_of = next(said_of for said_of, _, _ in CASES if rule.holds(said_of))
        assert {one.code for one in said_of.findings() if one.sentence in rule.say(said_of)} == {rule.code}


def test_what_a_program_branches_on_is_in_the_report(bench: "Bench") -> None:
    report = bench.made()
    assert (report["verdict"], report["codes"]) == (["Nobody said anything to the device."], ["nobody"])
    assert report["ok"] is False and faults(report) == ["nobody"]
    bench.send(TCP, b"\0\x11AT\r\n\0")
    bench.detach(TCP)
    report = bench.made()
    assert (report["verdict"], report["codes"]) == (["No host ever said HELLO."], ["no_hello"])
    assert report["never_linked"][0]["codes"] == ["no_hello", "bad_stuffing"]
    assert report["ok"] is report["never_linked"][0]["ok"] is False and faults(report) == ["no_hello", "bad_stuffing"]
    assert len(report["never_linked"][0]["verdict"]) == 2
    bench.attach(TCP)
    bench.hello(TCP)
    report = bench.made()
    assert report["codes"] == [] and report["hosts"][0]["codes"] == ["no_session"]


def test_a_host_is_ok_only_where_nothing_is_its_fault() -> None:
    assert controller(closed=[GOOD]).ok and controller(closed=[GOOD], retransmits=3).ok
    assert not controller(closed=[GOOD], left_open=2).ok and not stranger().ok
    for rule in VERDICTS:
        said_of = next(said_of for said_of, _, _ in CASES if rule.holds(said_of))
        assert said_of.ok is all(one.code in ("nothing", "completed", "sent_again") for one in said_of.findings())


def test_where_the_line_changed_the_bytes_no_frame_was_built_wrongly() -> None:
    spoiled = [frame.replace(b"\r", b"\n") for frame in (encode_frame(0, 1, b"\x80\r\x81", seq=n) for n in (1, 2))]
    for tally in (stranger(heard=sent(*spoiled)), stranger(heard=sent(b"\0\x05\x90\0"), line_flags=("IXON",))):
        assert [one.code for one in tally.findings()] == ["no_hello", "line"]


def test_where_the_checksum_has_a_known_mistake_the_line_is_not_to_blame() -> None:
    tally = stranger(heard=sent(wrong_crc(lambda body: 0)))
    assert [one.code for one in tally.findings()] == ["no_hello", "bad_crc"]


def test_a_hello_that_nobody_grants_is_a_code_of_its_own(bench: "Bench") -> None:
    bench.hello(TCP, host_id=0)
    bench.detach(TCP)
    report = bench.made()
    assert report["codes"] == ["no_link"] and report["never_linked"][0]["codes"] == ["no_link", "not_taken"]


def test_a_host_of_which_there_is_nothing_to_say() -> None:
    assert verdict_of(controller()) == ["Nothing to remark."]
    assert verdict_of(Tally(host_id=1, role=Role.VIEWER, links=1)) == ["Nothing to remark."]


def test_each_refusal_has_a_remedy() -> None:
    assert set(Code) - set(REMEDIES) == {Code.OK, Code.UNKNOWN}


@pytest.mark.parametrize(
    ("checksum", "hint"),
    [
        (lambda body: zlib.crc32(body), "zlib"),
        (lambda body: int.from_bytes(pack_crc(crc32c(body)), "big"), "low byte"),
        (lambda body: crc32c(body) ^ 0xFFFF_FFFF, "complemented"),
        (lambda body: crc32c(body[12:]), "payload alone"),
        (lambda body: crc32c(body[:12]), "header alone"),
        (lambda body: 0, "0"),
        (lambda body: crc32c(body) ^ 0x100, ""),
    ],
)
def test_known_mistakes_of_a_checksum(checksum: Callable[[bytes], int], hint: str) -> None:
    body = bytes(range(1, 40))
    found = crc_mistake(body, checksum(body))
    assert hint in found if hint else found == ""


# --- what is counted -----------------------------------------------------------------------------------------------


class Bench:
    """A device without any I/O, its report, and hosts that send bytes."""

    def __init__(self, **parameters: float) -> None:
        self.now = Micros(SECOND)
        quick = {"anesthesia_wait_s": 0, "reposition_mean_s": 0.01, **parameters}
        self.device = Device(seed=7, now=self.now, parameters=Parameters(quick))
        self.report = Report(self.device, FIRST_EVENT_NO)
        self.ports: dict[str, Any] = {}
        self.taps: dict[str, Any] = {}
        self.number = 0

    def attach(self, name: str) -> None:
        self.ports[name] = self.device.attach(name)
        self.taps[name] = self.report.open_tap(name, self.now)

    def detach(self, name: str) -> None:
        self.device.detach(self.ports.pop(name), self.now)
        self.taps.pop(name).closed(self.now)

    def send(self, name: str, data: bytes) -> None:
        self.taps[name].heard("host", data, self.now)
        self.device.receive(self.ports[name], data, self.now)
        self.flush()

    def flush(self) -> None:
        for name, port in self.ports.items():
            if frames := port.exchange.take():
                self.taps[name].heard("device", b"".join(frames), self.now)

    def wait(self, seconds: float) -> None:
        end = self.now + round(seconds * SECOND)
        while (due := self.device.next_deadline()) is not None and due <= end:
            self.now = due
            self.device.advance(due)
            self.flush()
        self.now = Micros(end)

    def hello(self, name: str, host_id: int = 1, role: Role = Role.CONTROLLER, schema_id: int = 0) -> None:
        self.number += 1
        hello = M.Hello(
            majors=2,
            minor=0,
            role=role,
            features=0,
            schema_id=schema_id,
            host_id=host_id,
            max_payload_size=224,
            nonce=1,
        )
        self.send(name, encode_message(hello, seq=self.number, link_id=0, correlation_id=self.number, flags=2))

    def ask(self, name: str, command: Message, *, settle_s: float = 0.0, flags: int = 2) -> None:
        """Send a command; while it settles the host stays in touch."""
        self.number += 1 if not flags & RETRANSMIT else 0
        link_id = self.ports[name].exchange.link_id
        self.send(
            name, encode_message(command, seq=self.number, link_id=link_id, correlation_id=self.number, flags=flags)
        )
        for _ in range(round(settle_s / 0.1)):
            self.wait(0.1)
            self.send(name, encode_message(M.HostHeartbeat(), seq=0, link_id=link_id))

    def open(self, name: str) -> None:
        self.ask(name, M.SessionOpen(target_cores=30, coverage_bp=400, depth_um=3000, zones_cm2=(1,)))

    def arm(self, name: str) -> None:
        self.open(name)
        self.ask(name, M.AnesthesiaStart(zone=0, age_s=0, method="cream"))
        self.ask(name, M.AnesthesiaConfirm(zone=0, confirmed_by="me"))
        self.ask(name, M.Arm(), settle_s=3)
        self.ask(name, M.Reposition(zone=0, cell=0), settle_s=1)

    def cycle(self, name: str) -> None:
        cycle_no = self.device.nvm.last_cycle_no + 1
        self.ask(name, M.Punch(cycle_no=cycle_no, depth_um=3000, deadline_ms=0x7FFF_FFFF), settle_s=0.3)
        self.ask(name, M.Suction(cycle_no=cycle_no), settle_s=0.3)
        self.ask(name, M.Advance(cycle_no=cycle_no, steps=1), settle_s=0.3)
        self.ask(name, M.Count(cycle_no=cycle_no), settle_s=0.3)

    def made(self) -> Any:
        return self.report.make(self.now)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.attach("tcp:127.0.0.1:50000")
    return bench


TCP: Final = "tcp:127.0.0.1:50000"


def test_nobody_came() -> None:
    report = Bench().made()
    assert report["verdict"] == ["Nobody said anything to the device."]
    assert report["hosts"] == report["never_linked"] == []


def test_a_connection_that_says_nothing_is_nobody(bench: Bench) -> None:
    bench.detach(TCP)
    assert bench.made()["verdict"] == ["Nobody said anything to the device."]


def test_a_host_that_never_links(bench: Bench) -> None:
    body = bytes(range(1, 30))
    bench.send(TCP, b"\0" + stuff(body + pack_crc(zlib.crc32(body))) + b"\0")
    bench.detach(TCP)
    report = bench.made()
    assert report["verdict"] == ["No host ever said HELLO."]
    (one,) = report["never_linked"]
    assert one["transports"] == ["tcp"] and one["bad_frames"] == {"crc": 1}
    assert any("zlib" in sentence for sentence in one["verdict"])
    assert "host_id" not in one and "never linked" in to_text(report)


def test_a_hello_that_is_not_granted(bench: Bench) -> None:
    bench.hello(TCP, schema_id=5)
    bench.detach(TCP)
    report = bench.made()
    assert report["verdict"] == ["No host was granted a link."]
    (one,) = report["never_linked"]
    assert one["naks"][0]["code"] == "E_SCHEMA" and one["naks"][0]["of"] == {"Hello": 1}


def test_what_came_before_the_link_is_of_the_host_that_linked(bench: Bench) -> None:
    bench.send(TCP, b"\0\x11AT\r\n\0")
    bench.hello(TCP, host_id=9)
    (host,) = bench.made()["hosts"]
    assert host["host_id"] == 9 and host["role"] == "controller" and host["links"] == 1
    assert host["bad_frames"] and host["frames"] == {
        "received": 1,
        "sent": 1,
        "echoed": 0,
        "received_again": 0,
        "answered_from_memory": 0,
    }


def test_one_host_by_two_ways_is_one(bench: Bench) -> None:
    bench.hello(TCP)
    bench.wait(2)
    bench.detach(TCP)
    bench.attach("pty")
    bench.hello("pty")
    bench.wait(1)
    bench.detach("pty")
    (host,) = bench.made()["hosts"]
    assert host["links"] == 2 and host["transports"] == ["tcp", "pty"]
    assert host["linked_s"] == 3.0


def test_two_hosts_on_one_line_are_two() -> None:
    bench = Bench()
    bench.attach("pty")
    for host_id in (1, 2):
        bench.hello("pty", host_id=host_id, role=Role.VIEWER)
        bench.ask("pty", M.DeviceInfo())
    one, two = bench.made()["hosts"]
    assert (one["host_id"], two["host_id"]) == (1, 2)
    assert one["commands"] == two["commands"] == {"DeviceInfo": 1}


def test_a_lease_that_expires_while_armed_and_one_at_rest(bench: Bench) -> None:
    bench.hello(TCP)
    bench.arm(TCP)
    bench.wait(1)
    (host,) = bench.made()["hosts"]
    assert host["leases_expired"] == {"while_armed": 1, "at_rest": 0}
    bench.hello(TCP)
    bench.wait(20)
    (host,) = bench.made()["hosts"]
    assert host["leases_expired"] == {"while_armed": 1, "at_rest": 1}
    assert host["linked_s"] < 30
    (alarm,) = bench.made()["device"]["alarms"]
    assert alarm["alarm"] == "MC-1501" and alarm["raised"] == 1


LEFT: Final = "Its link ended once while armed, "


@pytest.mark.parametrize(
    ("leave", "way"),
    [
        ("close", "with its connection"),
        ("bye", "by BYE"),
        ("byes of another link, bye and close", "by BYE"),
        ("byes of another link and close", "with its connection"),
        ("hello", "by a new HELLO"),
        ("hello on another line", "by a new HELLO"),
        ("nak", "by its NAK E_LINK"),
        ("byes of another link, nak", "by its NAK E_LINK"),
    ],
)
def test_a_host_that_leaves_while_armed(bench: Bench, leave: str, way: str) -> None:
    bench.hello(TCP)
    bench.arm(TCP)
    link_id = bench.ports[TCP].exchange.link_id
    bench.ask(TCP, M.Punch(cycle_no=1, depth_um=3000, deadline_ms=0x7FFF_FFFF))
    for _ in range(3 if "another link" in leave else 0):
        bench.send(TCP, encode_message(M.Bye(reason=ByeReason.CLOSING), seq=0, link_id=link_id + 1))
    if "another line" in leave:
        bench.attach("pty")
        bench.hello("pty")
    elif "hello" in leave:
        bench.hello(TCP)
    if "bye" in leave.split(", ")[-1] and "another" not in leave.split(", ")[-1]:
        bench.send(TCP, encode_message(M.Bye(reason=ByeReason.CLOSING), seq=0, link_id=link_id))
    if "nak" in leave:
        nak = M.Nak(code=Code.E_LINK, seq=0, expected=0, actual=0, sentence="who are you?")
        bench.send(TCP, encode_message(nak, seq=0, link_id=link_id))
    if "close" in leave:
        bench.detach(TCP)
    report = bench.made()
    (said,) = [one for one in report["hosts"][0]["verdict"] if one.startswith(LEFT)]
    assert said.startswith(f"{LEFT}{way}: MC-1501 was raised")
    assert report["device"]["alarms"][0]["alarm"] == "MC-1501" and report["device"]["cycles"]["aborted"] == 1


def test_a_host_whose_broker_goes_while_armed(bench: Bench) -> None:
    """As over a line; that it was a broker shows in the port's name."""
    bench.attach("mqtt:me")
    bench.hello("mqtt:me")
    bench.arm("mqtt:me")
    bench.detach("mqtt:me")
    assert [one for one in bench.made()["hosts"][0]["verdict"] if one.startswith(f"{LEFT}with the device's broker: ")]


@pytest.mark.parametrize("disarms", [True, False])
def test_a_host_that_disarms_or_has_lost_its_lease_does_not_leave_armed(bench: Bench, disarms: bool) -> None:
    bench.hello(TCP)
    bench.arm(TCP)
    if disarms:
        bench.ask(TCP, M.Disarm(), settle_s=3)
    else:
        bench.wait(1)
    bench.detach(TCP)
    assert not [one for one in bench.made()["hosts"][0]["verdict"] if one.startswith(LEFT)]


def test_an_old_connection_of_a_host_that_holds_the_device_by_another_may_close(bench: Bench) -> None:
    bench.hello(TCP)
    bench.attach("pty")
    bench.hello("pty")
    bench.arm("pty")
    assert bench.device.board.armed
    bench.detach(TCP)
    assert not [one for one in bench.made()["hosts"][0]["verdict"] if one.startswith(LEFT)]


def test_a_lease_at_rest_that_is_switched_off_does_not_expire() -> None:
    bench = Bench(lease_idle_ms=0)
    bench.attach(TCP)
    bench.hello(TCP)
    bench.wait(100)
    bench.detach(TCP)
    (host,) = bench.made()["hosts"]
    assert host["leases_expired"] == {"while_armed": 0, "at_rest": 0} and host["linked_s"] == 100
    assert [text for text in host["verdict"] if "switched off" in text] == [
        "The lease at rest was switched off: with a real device a long silence would have ended the link."
    ]


def test_a_viewers_lease_is_never_one_of_an_armed_device(bench: Bench) -> None:
    bench.hello(TCP)
    bench.attach("pty")
    bench.hello("pty", host_id=2, role=Role.VIEWER)
    bench.arm(TCP)
    for _ in range(60):
        bench.ask(TCP, M.DeviceInfo(), settle_s=0.3)
    viewer = bench.made()["hosts"][1]
    assert viewer["leases_expired"] == {"while_armed": 0, "at_rest": 1}


def test_refusals_by_code_and_interlock_with_the_first_sentence(bench: Bench) -> None:
    bench.hello(TCP)
    for cycle_no in (7, 8):
        bench.ask(TCP, M.Arm())
        bench.open(TCP)
        bench.ask(TCP, M.Punch(cycle_no=cycle_no, depth_um=3000, deadline_ms=1))
    (host,) = bench.made()["hosts"]
    seen = {(one["code"], one["interlock"]): one for one in host["refusals"]}
    assert seen["E_CYCLE_GAP", 0]["count"] == 2 and seen["E_CYCLE_GAP", 0]["of"] == {"Punch": 2}
    assert "cycle 7" in seen["E_CYCLE_GAP", 0]["first"]
    assert seen["E_INTERLOCK", 2]["of"] == {"Arm": 1}
    assert seen["E_STATE", 0]["of"] == {"Arm": 1, "SessionOpen": 1}


def test_a_retry_is_counted_apart_from_its_command(bench: Bench) -> None:
    bench.hello(TCP)
    bench.ask(TCP, M.DeviceInfo())
    bench.ask(TCP, M.DeviceInfo(), flags=2 | RETRANSMIT)
    (host,) = bench.made()["hosts"]
    assert host["commands"] == {"DeviceInfo": 1}
    assert host["frames"]["received_again"] == host["frames"]["answered_from_memory"] == 1


def test_a_retry_whose_first_was_lost_is_the_command(bench: Bench) -> None:
    bench.hello(TCP)
    bench.open(TCP)
    bench.number += 1
    zero = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
    bench.ask(TCP, M.SessionClose(session_no=1, reason=CloseReason.ABANDONED, **zero), flags=2 | RETRANSMIT)
    (host,) = bench.made()["hosts"]
    assert host["commands"] == {"SessionOpen": 1, "SessionClose": 1}
    assert "Session 1 was abandoned: its counts were never compared." in host["verdict"]


def test_motions_that_were_stopped_and_that_failed(bench: Bench) -> None:
    bench.hello(TCP)
    bench.arm(TCP)
    bench.ask(TCP, M.Punch(cycle_no=1, depth_um=3000, deadline_ms=0x7FFF_FFFF))
    bench.ask(TCP, M.Stop(), settle_s=2)  # until the line is vented
    bench.ask(TCP, M.FaultReset())
    bench.device.plant.inputs.pump_stalled = True
    bench.ask(TCP, M.AnesthesiaStart(zone=0, age_s=0, method="cream"))
    bench.ask(TCP, M.AnesthesiaConfirm(zone=0, confirmed_by="me"))
    bench.ask(TCP, M.Arm(), settle_s=30)
    report = bench.made()
    assert report["hosts"][0]["motions"] == {"failed": 1, "aborted": 1}
    assert "1 motion FAILED, 1 motion ABORTED: see the journal." in report["hosts"][0]["verdict"]
    assert report["device"]["cycles"]["aborted"] == 1
    assert "MC-0401 raised 1" in to_text(report)


def test_a_session_from_its_opening_to_its_close(bench: Bench) -> None:
    bench.hello(TCP)
    bench.arm(TCP)
    for _ in range(2):
        bench.cycle(TCP)
    (host,) = bench.made()["hosts"]
    assert "It left the session open: session 1." in host["verdict"]
    assert bench.made()["device"]["session_open"] == 1
    session = bench.device.nvm.session
    assert session is not None
    bench.ask(TCP, M.Disarm(), settle_s=2)
    bench.ask(
        TCP,
        M.SessionClose(
            session_no=1,
            reason=CloseReason.COMPLETED,
            cycles=2,
            completed=2,
            aborted=0,
            ambiguous=0,
            punctures=session.punctures,
            cores_counted=session.cores_counted,
        ),
    )
    report = bench.made()
    (host,) = report["hosts"]
    assert host["verdict"][0] == f"Good: {session.cores_counted} cores in 2 cycles, closed and reconciled."
    assert not any("left" in sentence for sentence in host["verdict"])
    device = report["device"]
    assert device["session_open"] is None and device["sessions_opened"] == 1
    assert device["sessions_closed"][0]["reason"] == "completed"
    assert device["cycles"] == {"total": 2, "completed": 2, "aborted": 0, "ambiguous": 0}
    assert device["punctures"] == session.punctures and device["cores_counted"] == session.cores_counted
    assert device["truth"] == {"cores_evacuated": bench.device.plant.truth.cores_evacuated}
    assert device["truth"]["cores_evacuated"] > 0
    text = to_text(report)
    assert text.startswith(NOTICE) and "truth, which no sensor sees" in text


def test_the_truth_of_two_sessions_is_added_up(bench: Bench) -> None:
    bench.hello(TCP)
    truths = []
    for number in (1, 2):
        bench.arm(TCP)
        bench.cycle(TCP)
        truths.append(bench.device.plant.truth.cores_evacuated)
        bench.ask(TCP, M.Disarm(), settle_s=2)
        zero = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
        bench.ask(TCP, M.SessionClose(session_no=number, reason=CloseReason.ABANDONED, **zero))
    report = bench.made()
    assert report["device"]["truth"]["cores_evacuated"] == sum(truths) > truths[0]
    assert [one["reason"] for one in report["device"]["sessions_closed"]] == ["abandoned", "abandoned"]


def test_nothing_is_missed_where_the_journal_goes_round(bench: Bench) -> None:
    bench.hello(TCP)
    bench.open(TCP)
    records = 2 * JOURNAL_SLOTS
    assert FOLD_EVERY < JOURNAL_SLOTS // 2
    for number in range(records):
        bench.ask(TCP, M.ParamSet(name="trigger_required", value=float(number % 2)))
        bench.ask(TCP, M.JournalAck(epoch=bench.device.nvm.epoch, upto=bench.device.nvm.head))
    assert bench.device.nvm.head > records
    assert bench.made()["device"]["sessions_opened"] == 1


def test_what_hosts_make_it_keep_is_bounded(bench: Bench) -> None:
    for host_id in range(1, 1 + MAX_HOSTS + 5):
        bench.hello(TCP, host_id=host_id, role=Role.VIEWER)
        bench.wait(0.1)  # a port is granted ten links a second
    hosts = bench.made()["hosts"]
    assert len(hosts) == MAX_HOSTS + 1
    assert hosts[-1]["host_id"] == "others" and hosts[-1]["links"] == 5
    assert "other hosts" in to_text(bench.made())
    tap = bench.taps[TCP]
    for number in range(1, 3 * MAX_PENDING):
        tap.heard("host", encode_frame(0, 0x0309, b"", correlation_id=number), bench.now)
    assert len(tap._pending) == MAX_PENDING


def test_the_trace_hears_the_same(bench: Bench) -> None:
    heard: list[tuple[str, bytes | Publication]] = []

    class Inner:
        def heard(self, sender: str, data: bytes | Publication, now: Micros) -> None:
            heard.append((sender, data))

        def line_set(self, left_on: Sequence[str], now: Micros) -> None:
            heard.append(("line_set", ",".join(left_on).encode()))

        def noted(self, what: str, now: Micros) -> None:
            heard.append(("noted", what.encode()))

        def closed(self, now: Micros) -> None:
            heard.append(("closed", b""))

    tap = Report(bench.device, FIRST_EVENT_NO, lambda name, now: Inner()).open_tap("pty", bench.now)
    tap.heard("host", b"\0\1", bench.now)
    tap.line_set(("IXON", "ECHO"), bench.now)
    tap.noted("DTR off", bench.now)
    tap.closed(bench.now)
    assert heard == [("host", b"\0\1"), ("line_set", b"IXON,ECHO"), ("noted", b"DTR off"), ("closed", b"")]


@pytest.mark.parametrize("raw", [True, False])
def test_settings_of_a_terminal_are_those_of_the_host_that_left_them(bench: Bench, raw: bool) -> None:
    """A terminal program was there before, and did not set it raw."""
    bench.taps[TCP].line_set(("ICRNL", "IXON"), bench.now)
    bench.send(TCP, b"hello?\r\n")
    bench.taps[TCP].line_set(() if raw else ("ICRNL",), bench.now)
    bench.hello(TCP)
    bench.taps[TCP].line_set((), bench.now)
    (host,) = bench.made()["hosts"]
    said = "On the line, the host left ICRNL on: its terminal has to be raw."
    assert [one for one in host["verdict"] if "ICRNL" in one] == ([] if raw else [said])


def test_settings_that_a_host_left_when_it_went_are_its_own(bench: Bench) -> None:
    bench.hello(TCP)
    bench.wait(20)
    bench.taps[TCP].line_set(("ECHO",), bench.now)
    bench.taps[TCP].line_set((), bench.now)
    bench.hello(TCP, host_id=2)
    one, two = bench.made()["hosts"]
    assert "line" in one["codes"] and "line" not in two["codes"]


@pytest.mark.parametrize("done", [{"commands": Counter({"SessionOpen": 1})}, {"cycles": 1}, {"closed": [GOOD]}])
def test_who_opened_a_session_or_took_one_up_did_not_merely_look(done: dict[str, Any]) -> None:
    nothing = {"cycles": 0, "commands": Counter[str](), "closed": []}
    assert "no_session" in [one.code for one in controller(**nothing).findings()]
    assert "no_session" not in [one.code for one in controller(**(nothing | done)).findings()]


def test_who_only_reads_the_journal_need_not_acknowledge_it() -> None:
    reads = Counter({"JournalRead": 1})
    assert "journal_unacknowledged" in [one.code for one in controller(commands=reads).findings()]
    assert "journal_unacknowledged" not in [one.code for one in controller(commands=reads, cycles=0).findings()]


def test_a_host_that_is_known_stays_itself_where_no_other_has_room(bench: Bench) -> None:
    for host_id in (*range(1, 1 + MAX_HOSTS), 99, 1):
        bench.hello(TCP, host_id=host_id, role=Role.VIEWER)
        bench.wait(0.1)
    hosts = {host["host_id"]: host["links"] for host in bench.made()["hosts"]}
    assert hosts[1] == 2 and hosts["others"] == 1


def test_who_linked_and_went_is_no_stranger(bench: Bench) -> None:
    bench.hello(TCP)
    bench.detach(TCP)
    assert bench.made()["never_linked"] == []


def test_a_device_that_ends_leaves_nobody_armed(bench: Bench) -> None:
    bench.hello(TCP)
    bench.arm(TCP)
    bench.ports[TCP].exchange.bye(ByeReason.CLOSING, bench.now)
    bench.flush()
    bench.wait(1)
    bench.detach(TCP)
    (host,) = bench.made()["hosts"]
    assert "left_armed" not in host["codes"] and host["linked_s"] < 6


def test_each_count_ends_a_cycle(bench: Bench) -> None:
    bench.hello(TCP)
    bench.arm(TCP)
    assert "journal_unread" not in bench.made()["hosts"][0]["codes"]
    bench.cycle(TCP)
    assert "journal_unread" in bench.made()["hosts"][0]["codes"]


def test_a_command_with_an_id_that_waits_is_one_more_unless_it_says_that_it_is_sent_again(bench: Bench) -> None:
    bench.hello(TCP)
    for flags in (2, 2, 2 | RETRANSMIT):
        frame = encode_message(M.DeviceInfo(), seq=9, link_id=1, correlation_id=9, flags=flags)
        bench.taps[TCP].heard("host", frame, bench.now)
    (host,) = bench.made()["hosts"]
    assert host["commands"] == {"DeviceInfo": 2} and host["frames"]["received_again"] == 1


def test_the_devices_own_frames_that_come_back_are_no_hosts(bench: Bench) -> None:
    bench.hello(TCP)
    before = bench.made()["hosts"][0]["frames"]["received"]
    bench.taps[TCP].heard("host", encode_message(M.ArmDone(vacuum_pa=-50_000), seq=1, link_id=1), bench.now)
    frames = bench.made()["hosts"][0]["frames"]
    assert (frames["received"], frames["echoed"]) == (before, 1)


def overheard(bench: Bench, *, correlation_id: int = 500, **welcome: int) -> None:
    """A HELLO and its WELCOME as a tap hears them, without a device that said so."""
    fields: dict[str, Any] = zeros(M.Welcome)
    fields |= {"link_id": 9, "nonce": 1, "role": Role.CONTROLLER, "state": DeviceState.IDLE, "simulated": True}
    fields |= {"model_version": "1", "lease_armed_ms": 600, "lease_idle_ms": 15_000, **welcome}
    frame = encode_message(M.Welcome(**fields), seq=1, link_id=9, correlation_id=correlation_id)
    bench.taps[TCP].heard("device", frame, bench.now)


def test_a_welcome_to_a_hello_that_nobody_heard_is_no_hosts(bench: Bench) -> None:
    overheard(bench)
    bench.detach(TCP)
    assert bench.made()["hosts"] == []


@pytest.mark.parametrize(("field", "code"), [("lease_armed_ms", "lease_off"), ("lease_idle_ms", "lease_at_rest_off")])
def test_a_lease_that_was_switched_off_once_is_told(bench: Bench, field: str, code: str) -> None:
    bench.hello(TCP)
    assert code not in bench.made()["hosts"][0]["codes"]
    overheard(bench, correlation_id=bench.number, **{field: 0})
    overheard(bench, correlation_id=bench.number)
    assert code in bench.made()["hosts"][0]["codes"]


def test_what_a_host_left_on_is_told_though_it_links_again_by_another_way(bench: Bench) -> None:
    bench.taps[TCP].line_set(("ECHO",), bench.now)
    bench.hello(TCP)
    bench.attach("pty")
    bench.hello("pty")
    assert "line" in bench.made()["hosts"][0]["codes"]


def test_the_text_has_a_row_for_what_there_is_and_none_where_there_is_not(bench: Bench) -> None:
    bench.attach("pty")
    bench.send("pty", b"\x05\0")
    bench.detach("pty")
    bench.hello(TCP)
    bench.open(TCP)
    before = to_text(bench.made())
    assert "    sessions       1 opened, closed: none\n" in before and "    bad frames     none\n" in before
    assert "    bad frames     short 1\n" in before or "    bad frames     cobs 1\n" in before
    assert before.count("    links          1, ") == 1, "a stranger has no links"
    assert "echoed" not in before and "    commands       SessionOpen 1\n" in before
    zero = dict.fromkeys(("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"), 0)
    bench.ask(TCP, M.SessionClose(session_no=1, reason=CloseReason.ABANDONED, **zero))
    bench.taps[TCP].heard("host", encode_message(M.ArmDone(vacuum_pa=-50_000), seq=1, link_id=1), bench.now)
    bench.send(TCP, encode_message(M.HostHeartbeat(), seq=0, link_id=77))
    after = to_text(bench.made())
    assert "closed: 1 abandoned (0 cores in 0 cycles)\n" in after
    assert "    echoed         1 of the device's own came back\n" in after
    assert "    NAK            E_LINK 1 (unasked 1): " in after


def test_settings_that_were_on_are_told_though_a_later_connection_is_raw() -> None:
    tally = stranger(line_flags=("ECHO",))
    tally.absorb(stranger())
    assert tally.line_flags == ("ECHO",)


def test_settings_with_which_nobody_linked(bench: Bench) -> None:
    bench.taps[TCP].line_set(("ICRNL", "IXON", "ECHO"), bench.now)
    bench.send(TCP, b"hello?\r\n")
    bench.detach(TCP)
    (one,) = bench.made()["never_linked"]
    assert one["verdict"] == [
        "It never said HELLO: 0 frames in 8 bytes, which begin: hello?.",
        "On the line, the host left ICRNL, IXON, ECHO on: its terminal has to be raw.",
    ]


def test_what_a_host_sent_cannot_write_to_a_terminal(bench: Bench) -> None:
    bench.hello(TCP)
    bench.ask(TCP, M.ParamSet(name="\x1b[2Jx", value=1.0))
    text = to_text(bench.made())
    assert "\x1b" not in text and "\\x1b[2J" in text


def test_a_host_behind_a_broker() -> None:
    bench = Bench()
    topics = DeviceTopics("handpiece", "bench", "sim-7")
    host = HostWire(topics, "me")
    port = bench.device.attach("mqtt:me", lambda: DeviceWire(topics, "me"))
    tap = bench.report.open_tap("mqtt:me", bench.now)
    hello = M.Hello(
        majors=2, minor=0, role=Role.CONTROLLER, features=0, schema_id=0, host_id=3, max_payload_size=224, nonce=1
    )
    arm: Message = M.Arm()
    for number, message in enumerate((hello, arm, M.HostHeartbeat()), 1):
        publication = host.encode(message, number, port.exchange.link_id, number if message.LANE else 0, 2)
        tap.heard("host", publication, bench.now)
        bench.device.receive(port, publication, bench.now)
        for answer in port.exchange.take():
            tap.heard("device", answer, bench.now)
    (one,) = bench.made()["hosts"]
    assert one["host_id"] == 3 and one["transports"] == ["mqtt"] and one["links"] == 1
    assert one["commands"] == {"Arm": 1} and one["frames"]["received"] == 3
    assert one["refusals"][0]["of"] == {"Arm": 1}
    ignored = bench.report.open_tap("mqtt:ignored", bench.now)
    for address in (None, "x/my-answers"):
        ignored.heard("host", host.encode(hello, 1, 0, 1, 2)._replace(response_topic=address), bench.now)
    ignored.heard("host", Publication("x/command/arm", b"not JSON", response_topic="x/reply/one-too-many"), bench.now)
    ignored.closed(bench.now)
    (stranger,) = bench.made()["never_linked"]
    assert stranger["transports"] == ["mqtt"] and stranger["frames"]["received"] == 3
    assert stranger["verdict"][0] == "Its HELLO was not granted."
    assert stranger["verdict"][1].startswith("2 publications had no Response Topic ")
    assert not [sentence for sentence in one["verdict"] if "Response Topic" in sentence]


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(sorted(REGISTRY))), max_size=8), st.binary(max_size=30)
)
def test_nothing_that_either_end_sends_raises(items: list[Any], payload: bytes) -> None:
    bench = Bench()
    bench.attach(TCP)
    for item in items:
        data = item if isinstance(item, bytes) else encode_frame(item[0], item[1], payload, correlation_id=1, seq=1)
        for sender in ("host", "device"):
            bench.taps[TCP].heard(sender, data, bench.now)
    bench.taps[TCP].closed(bench.now)
    assert to_text(bench.made())


# --- the file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["report.json", "report.JSON", "report.txt", "report"])
def test_the_file_is_what_its_name_says(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    report = Bench().made()
    file = ReportFile(str(path))
    file.write(report)
    assert not path.exists(), "it is not due yet"
    file.due = True
    file.write(report)
    text = path.read_text(encoding="utf-8")
    if name.lower().endswith(".json"):
        assert json.loads(text) == report
    else:
        assert text == to_text(report)
    assert list(tmp_path.iterdir()) == [path]


def test_an_earlier_report_is_gone_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("of another run")
    ReportFile(str(path))
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    for path in ("-", tmp_path, tmp_path / "no" / "report.txt", tmp_path / "a-file" / "report.txt"):
        with pytest.raises(OptionError, match="--report"):
            ReportFile(str(path))


def test_a_folder_that_goes_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    file = ReportFile(str(folder / "report.txt"))
    folder.rmdir()
    file.due = True
    with pytest.raises(ServeError, match="--report"):
        file.write(Bench().made())
