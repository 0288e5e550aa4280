"""A line with a device at one end and a host that does what the test says at the other, recorded as it goes.

    line = RecordedLine(seed=7)
    line.greet()
    line.ask(M.DeviceInfo())
    capture = line.capture()

Time is virtual, and the line takes none: what the device says is recorded at the microsecond at which it says it.
"""

import io
from collections.abc import Mapping
from typing import Any

from firmware_sim.device import Device
from firmware_sim.model.parameters import Parameters
from firmware_sim.twin.conversation import Conversation, read_conversation
from firmware_sim.twin.profile import Profile
from firmware_sim.twin.twin import Twin, compare
from firmware_sim.twin_program import read_profile
from protocols.capture.blocks import encode_capture
from protocols.capture.contents import encode_event
from protocols.capture.packet import EVENTS, FROM_DEVICE, NO_DIRECTION, TO_DEVICE, Capture, Packet
from protocols.capture.reader import read_capture
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Role
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, Micros
from protocols.link.header import RETRANSMIT
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message, encode_message
from tests.unit.protocols.link.exchange_pair import hello

QUICK: Mapping[str, float] = {"anesthesia_wait_s": 1}
PORT = "tcp"
BEAT_MS = 150
PATIENCE_MS = 30_000
"""How long the host waits for the end of a command; a device that never gives it is left to itself then."""


class RecordedLine:
    """Both ends. `device` is the one that is recorded; `booted` puts its boot into the recording, as at its own end."""

    def __init__(
        self, *, seed: int = 7, parameters: Mapping[str, float] = QUICK, booted: bool = False, start: int = 5_000_000
    ) -> None:
        self._start = start if booted else 0
        self.device = Device(seed=seed, now=Micros(self._start), parameters=Parameters(parameters))
        self.port = self.device.attach(PORT)
        self.said: list[Message] = []
        self.packets: list[Packet] = []
        self.link_id = 0
        self.now = 0
        self._correlation_id = 0
        self._decoder = FrameDecoder()
        self._ended: set[int] = set()
        self._comment: dict[str, Any] = {"program": "devicectl", "device": "tcp://127.0.0.1:5000", "seed": None}
        if booted:
            boot = {"seed": seed, "now_us": start, "parameters": dict(parameters), "memory": None}
            self._comment["program"] = "firmware-sim"
            self._add(0, NO_DIRECTION, encode_event("boot", {**boot, "behind_broker": False}))
            self._add(0, NO_DIRECTION, encode_event("attach", {"port": PORT}))

    def greet(self, **changes: Any) -> None:
        """Say HELLO, and take the link that is granted."""
        self.link_id = 0
        self.ask(hello(**{"role": Role.CONTROLLER, **changes}))
        self.link_id = next(one.link_id for one in reversed(self.said) if isinstance(one, M.Welcome))

    def ask(self, message: Message, *, wait: bool = True) -> int:
        """Send a command, and wait for its end; its correlation id."""
        self._correlation_id += 1
        self.send(encode_message(message, self._correlation_id, self.link_id, self._correlation_id))
        if wait:
            self.await_end(self._correlation_id)
        return self._correlation_id

    def ask_again(self, message: Message, correlation_id: int) -> None:
        """Send a command that was sent before."""
        self.send(encode_message(message, correlation_id, self.link_id, correlation_id, RETRANSMIT))

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._add(1, TO_DEVICE, data)
        self.device.receive(self.port, data, Micros(self._start + self.now))
        self._listen()

    def await_end(self, correlation_id: int) -> None:
        """Let time go by until a command is over, with heartbeats."""
        waited = 0
        while correlation_id not in self._ended and waited < PATIENCE_MS:
            self.wait(BEAT_MS if self.link_id else 10)
            waited += BEAT_MS
            if self.link_id and correlation_id not in self._ended:
                self.send(encode_message(M.HostHeartbeat(), 0, self.link_id))

    def wait(self, ms: int) -> None:
        """Let time go by in silence."""
        until = self._start + self.now + ms * MILLISECOND
        while (due := self.device.next_deadline()) is not None and due <= until:
            self.now = max(self.now, due - self._start)
            self.device.advance(Micros(self._start + self.now))
            self._listen()
        self.now = until - self._start

    def _listen(self) -> None:
        for data in self.port.exchange.take():
            self._add(1, FROM_DEVICE, data)
            for item in self._decoder.feed(data):
                assert isinstance(item, Frame)
                message = decode_message(item)
                if message is not None:
                    self.said.append(message)
                    if item.header.correlation_id and not isinstance(message, M.Received | M.Progress):
                        self._ended.add(item.header.correlation_id)

    def _add(self, interface: int, direction: int, data: bytes) -> None:
        self.packets.append(Packet(self.now, interface, direction, data))

    def capture(self, **comment: Any) -> Capture:
        """Return the recording, as it is read from a file."""
        return captured(self.packets, **{**self._comment, **comment})

    def file(self) -> bytes:
        """Return it as the bytes of a file."""
        return encode_capture({"verdict": {}, **self._comment}, (EVENTS, PORT), self.packets)

    def conversation(self) -> Conversation:
        """Return it as a conversation."""
        return read_conversation(self.capture())

    def twin(self, seed: int | None = None, **changes: Any) -> Twin:
        """Return what comes of it, with the default profile and a device of another seed."""
        return compare(self.conversation(), profile(seed, **changes))


def captured(packets: list[Packet], interfaces: tuple[str, ...] = (EVENTS, PORT), **comment: Any) -> Capture:
    """Return a recording of these packets, as it is read from a file."""
    data = encode_capture({"verdict": {}, **comment}, interfaces, packets)
    return read_capture(io.BytesIO(data).read)


def profile(seed: int | None = None, **fields: str | float) -> Profile:
    """Return the default profile, with rules of the test's own; `Message__field` stands for `Message.field`."""
    rules = {name.replace("__", "."): rule for name, rule in fields.items()}
    own = Profile.model_validate({"device": {"seed": seed, "parameters": dict(QUICK)}, "fields": rules})
    return own.over(read_profile(None))


def open_session(line: RecordedLine) -> None:
    """Open a session on a link, numb its zone, arm, and go to the first cell."""
    line.ask(M.SessionOpen(target_cores=30, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)))
    line.ask(M.AnesthesiaStart(zone=0, age_s=600, method="cream"))
    line.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="a person"))
    line.ask(M.Arm())
    line.ask(M.Reposition(zone=0, cell=0))


def run_cycle(line: RecordedLine, cycle_no: int) -> None:
    """Run one whole cycle."""
    line.ask(punch(line, cycle_no))
    line.ask(M.Suction(cycle_no=cycle_no))
    line.ask(M.Advance(cycle_no=cycle_no, steps=1))
    line.ask(M.Count(cycle_no=cycle_no))


def punch(line: RecordedLine, cycle_no: int) -> M.Punch:
    """Return a PUNCH with half a minute to be begun in."""
    return M.Punch(cycle_no=cycle_no, depth_um=3_000, deadline_ms=line.now // MILLISECOND + 30_000)


def close_session(line: RecordedLine) -> None:
    """Disarm, and close the session with what the device counted."""
    line.ask(M.Disarm())
    session = line.device.nvm.require_session()
    line.ask(
        M.SessionClose(
            session_no=session.session_no,
            reason=CloseReason.COMPLETED,
            cycles=session.cycles,
            completed=session.completed,
            aborted=session.aborted,
            ambiguous=session.ambiguous,
            punctures=session.punctures,
            cores_counted=session.cores_counted,
        )
    )


def whole_session(cycles: int = 3, **options: Any) -> RecordedLine:
    """Return a line on which a session of some cycles was held."""
    line = RecordedLine(**options)
    line.greet()
    line.ask(M.DeviceInfo())
    open_session(line)
    for cycle_no in range(1, cycles + 1):
        run_cycle(line, cycle_no)
    read_journal(line)
    close_session(line)
    read_journal(line)
    return line


def read_journal(line: RecordedLine) -> None:
    """Read all records, and acknowledge them."""
    epoch, head = line.device.nvm.epoch, line.device.nvm.head
    for first in range(line.device.nvm.tail, head, 6):
        line.ask(M.JournalRead(epoch=epoch, first=first, max_records=6))
    line.ask(M.JournalAck(epoch=epoch, upto=head))
