"""The session that docs/first-contact.md shows: a small host and the device in virtual time, and all that was said.

Law: nothing here is written by hand but what the host wants; every byte is what the code sends.
"""

from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from devicectl.session.count import Fold
from firmware_sim.device import Device
from firmware_sim.memory.journal import FIRST_EVENT_NO
from firmware_sim.model.parameters import Parameters
from firmware_sim.serve.report.report import Report, to_text
from protocols.language import messages as M
from protocols.language.enums import ByeReason, CloseReason, Role
from protocols.language.message import Message
from protocols.language.records import RECORD_SIZE
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.language.version import MAJOR
from protocols.link.happenings import Answered, HostHappening, Linked
from protocols.link.host_end import HostEnd
from protocols.link.pace import Pace
from protocols.serial.wire import SerialWire

SEED: Final = 7
HOST_ID: Final = 0x0000BEEF
NONCE: Final = 0x44332211
ON_THE_WAY_US: Final = 250
"""From one end to the other; so that a trace has an order that can be read."""
DEADLINE_AHEAD_MS: Final = 2000
OPTIONS: Final = "--seed 7 --param anesthesia_wait_s=0"


class Piece(NamedTuple):
    """What one end sent in one go."""

    at: Micros
    sender: str
    data: bytes


class Course(NamedTuple):
    """All that was said, and the report of it."""

    pieces: list[Piece]
    journal_tail: int
    report: str


class _Host:
    """One host and one device, with a wire between them that takes a quarter of a millisecond."""

    def __init__(self) -> None:
        self.now = Micros(SECOND)
        device = Device(seed=SEED, now=Micros(0), parameters=Parameters({"anesthesia_wait_s": 0}))
        self.port = device.attach("pty")
        self.device = device
        self.report = Report(device, FIRST_EVENT_NO)
        self.tap = self.report.open_tap(self.port.name, self.now)
        self.exchange: HostEnd[bytes] = HostEnd(SerialWire())
        self.pieces: list[Piece] = []
        self.welcome: M.Welcome | None = None
        self._answer: Message | None = None
        self._under_way: deque[Piece] = deque()

    def link(self) -> M.Welcome:
        """HELLO, and from then on a heartbeat every 200 ms: lawful in any state, and the simplest."""
        hello = M.Hello(
            majors=1 << MAJOR,
            minor=0,
            role=Role.CONTROLLER,
            features=0,
            schema_id=0,
            host_id=HOST_ID,
            max_payload_size=224,
            nonce=NONCE,
        )
        self.exchange.hello(hello, self.now)
        self._until(lambda: self.welcome is not None)
        assert self.welcome is not None
        self.exchange.pace = Pace.of_ms(self.welcome.heartbeat_armed_ms, self.welcome.lease_idle_ms)
        return self.welcome

    def ask(self, command: Message) -> Message:
        """A command's final answer."""
        self._answer = None
        self.exchange.submit(command, self.now)
        self._until(lambda: self._answer is not None)
        assert self._answer is not None
        self.now = Micros(self.now + MILLISECOND)  # a host thinks
        return self._answer

    def leave(self) -> None:
        """BYE."""
        self.exchange.bye(ByeReason.CLOSING, self.now)
        self._send("host", self.exchange.take())
        self._deliver(self._under_way.popleft())
        self.tap.closed(self.now)
        self.device.detach(self.port, self.now)

    def uptime_ms(self) -> int:
        """The device's uptime as the host reckons it: WELCOME's, and what has passed since."""
        assert self.welcome is not None
        return self.welcome.uptime_ms + (self.now - SECOND) // MILLISECOND

    def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._send("host", self.exchange.take())
            self._send("device", self.port.exchange.take())
            dues = [self.exchange.next_deadline(), self.device.next_deadline()]
            if self._under_way:
                dues.append(self._under_way[0].at)
            self.now = Micros(max(self.now, min(due for due in dues if due is not None)))
            while self._under_way and self._under_way[0].at <= self.now:
                self._deliver(self._under_way.popleft())
            self.device.advance(self.now)
            self._hear(self.exchange.advance(self.now))
        self._send("host", self.exchange.take())

    def _send(self, sender: str, frames: list[bytes]) -> None:
        for frame in frames:
            self.pieces.append(Piece(self.now, sender, frame))
            self.tap.heard(sender, frame, self.now)
            self._under_way.append(Piece(Micros(self.now + ON_THE_WAY_US), sender, frame))

    def _deliver(self, piece: Piece) -> None:
        if piece.sender == "host":
            self.device.receive(self.port, piece.data, self.now)
        else:
            self._hear(self.exchange.receive(piece.data, self.now))

    def _hear(self, happened: list[HostHappening]) -> None:
        for happening in happened:
            if isinstance(happening, Linked):
                self.welcome = happening.welcome
            elif isinstance(happening, Answered) and happening.final:
                self._answer = happening.message


@cache
def course() -> Course:
    """One cycle of three cores, from HELLO to BYE, with a PUNCH on the way that is refused."""
    host = _Host()
    welcome = host.link()
    opened = host.ask(M.SessionOpen(target_cores=3, coverage_bp=400, depth_um=3000, zones_cm2=(1,)))
    assert isinstance(opened, M.SessionOpenDone)
    host.ask(M.AnesthesiaStart(zone=0, age_s=600, method="lidocaine"))
    host.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="operator"))
    host.ask(M.Arm())
    host.ask(M.Reposition(zone=0, cell=0))
    cycle_no = opened.first_cycle_no
    for number in (cycle_no + 1, cycle_no):  # the first leaves a gap
        deadline_ms = host.uptime_ms() + DEADLINE_AHEAD_MS
        host.ask(M.Punch(cycle_no=number, depth_um=3000, deadline_ms=deadline_ms))
    host.ask(M.Suction(cycle_no=cycle_no))
    host.ask(M.Advance(cycle_no=cycle_no, steps=1))
    host.ask(M.Count(cycle_no=cycle_no))
    host.ask(M.Disarm())
    fold = Fold(opened.needles, cycle_no)
    cursor, head = welcome.journal_tail, welcome.journal_tail + 1
    while cursor < head:
        page = host.ask(M.JournalRead(epoch=welcome.journal_epoch, first=cursor, max_records=6))
        assert isinstance(page, M.JournalPage)
        records = [page.records[at : at + RECORD_SIZE] for at in range(0, len(page.records), RECORD_SIZE)]
        for raw in records:
            fold.add_raw(raw)
        cursor, head = cursor + len(records), page.head
    host.ask(M.JournalAck(epoch=welcome.journal_epoch, upto=cursor))
    counts = fold.counts
    closed = host.ask(
        M.SessionClose(
            session_no=opened.session_no,
            reason=CloseReason.COMPLETED,
            cycles=counts.cycles,
            completed=counts.completed,
            aborted=counts.aborted,
            ambiguous=counts.ambiguous,
            punctures=counts.punctures,
            cores_counted=counts.cores_counted,
        )
    )
    assert isinstance(closed, M.SessionCloseDone), closed
    host.leave()
    return Course(host.pieces, welcome.journal_tail, to_text(host.report.make(host.now)))
