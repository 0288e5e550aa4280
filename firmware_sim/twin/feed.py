"""Feeding the twin: the recorded host's frames come to the simulated device at the times at which they were recorded.

How it works: three things keep the two conversations comparable where both devices are right and yet not equal.

    link ids     each device numbers its links; a recorded frame is given the twin's number of the same link
    the hold     the recorded host had its answer before it went on. Where the twin needs longer, the recording is held
                 until the twin has answered too, and goes on from there; meanwhile the host's heartbeats are sent for
                 it, since its lease is short
    chance       which cores come, what a purge frees and how long the hand takes: the twin's plant is told what the
                 recording has

Law: nothing but the host's own words reaches the device, and it is never asked for more than a host could see.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from firmware_sim.calls import Calls, guarded
from firmware_sim.commands.statements import heartbeat
from firmware_sim.twin.beginning import Beginning
from firmware_sim.twin.conversation import (
    DEVICE,
    HOST,
    Called,
    Conversation,
    Piece,
    Said,
    encode_frame,
    said_of,
)
from protocols.capture.packet import NO_DIRECTION, Packet
from protocols.language import messages as M
from protocols.language.enums import Kind, NeedleOutcome
from protocols.language.message import Message
from protocols.language.messages import Progress, Received
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.link.port import BadFrame
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import encode_message

HOLD_LEAST_US: Final = 60 * SECOND
HOLD_FACTOR: Final = 4
"""The longest hold for one answer: so many times what the recorded device took, and a minute at least."""
_MAX_NEEDLES: Final = 8

Asked = tuple[str, int, int]
"""Port, number of the link at that port from 0, correlation id: one command and its answers."""


class Held(NamedTuple):
    """A command that is waited for: packet `place` has the end that the recorded device gave it, after `waited_us`."""

    asked: Asked
    place: int
    waited_us: int


class Links:
    """Numbers of the links at each port, in the order of their WELCOMEs, as both devices gave them."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}

    def number(self, said: Said, port: str) -> int:
        """Return which link of its port a frame belongs to; a WELCOME begins the next."""
        number = self._count.get(port, 0)
        if said.sender == DEVICE and isinstance(said.message, M.Welcome) and not said.replayed:
            self._count[port] = number + 1
        return number


def is_final(said: Said) -> bool:
    """Return true for an answer after which a command is over."""
    answer = said.header.kind in (Kind.REPLY, Kind.LINK)
    return bool(answer and said.header.correlation_id) and not isinstance(said.message, Received | Progress)


class Heard(NamedTuple):
    """A frame of the twin. Its time is the recording's: `held_us` later by the twin's own clock.

    `in_hold` marks what it said while the recording was held.
    """

    said: Said
    held_us: int
    in_hold: bool


class Picture(NamedTuple):
    """The twin's state from a time of the recording on, as its heartbeat would show it."""

    at_us: int
    heartbeat: M.Heartbeat


class Feed:
    """A twin that is fed. After `run` it has what the device said, and the command it never ended."""

    def __init__(self, conversation: Conversation, beginning: Beginning) -> None:
        self._calls = Calls(beginning.device)
        self.device = beginning.device
        self.ports = self._calls.ports
        self.heard: dict[str, list[Heard]] = {}
        self.pictures: list[Picture] = []
        self.stuck: Held | None = None
        self.end_us = conversation.end_us
        """Time of the recording up to which it was fed."""
        self._conversation = conversation
        self._start = beginning.start
        self._now = Micros(beginning.start)
        self.held_us = 0
        """Time for which the recording was held, in all."""
        self._hold_at: int | None = None
        self._holds: list[tuple[int, int]] = []
        """Time of the twin at which each hold began, and for how long the recording had been held before."""
        self._booted_at = beginning.booted_at
        self._decoders: dict[str, FrameDecoder] = {}
        self._links = Links()
        self._ended: set[Asked] = set()
        self._fed_at: dict[str, int] = {}
        self._owed = _finals(conversation)
        self._numbers = _link_numbers(conversation)
        self._twin_links: dict[tuple[str, int], int] = {}
        self._cores = _cores(conversation)
        self._cleared, self._hand_us = _cleared_and_hand(conversation)
        if conversation.boot is None:
            for port in conversation.said:
                self._calls.attach({"port": port}, self._now)

    def run(self) -> None:
        """Feed all of the recording."""
        for step in self._conversation.steps:
            if not self._bring(step.at_us, step.place):
                return
            if isinstance(step, Called):
                self._call(step)
            else:
                self._feed(step)
        self._bring(self._conversation.end_us, self._conversation.packets + 1)

    def shift_ms(self, uptime_ms: int) -> int:
        """Return how many ms the twin was behind the recording at an uptime of its own."""
        at = self._booted_at + uptime_ms * MILLISECOND
        index = bisect_right(self._holds, at, key=itemgetter(0)) - 1
        if index < 0:
            return 0
        began, before = self._holds[index]
        after = self._holds[index + 1][1] if index + 1 < len(self._holds) else self.held_us
        return (before + min(at - began, after - before)) // MILLISECOND

    # --- time ------------------------------------------------------------------------------------------------

    def _bring(self, at_us: int, place: int) -> bool:
        """Bring the twin to a time of the recording, with all commands ended that had ended before a packet."""
        self._advance_to(Micros(self._start + at_us + self.held_us))
        while self._owed and self._owed[0].place < place:
            owed = self._owed.popleft()
            if owed.asked not in self._ended and not self._hold(owed):
                self.end_us = at_us
                return False
        return True

    def _advance_to(self, until: Micros) -> None:
        """Let the twin do all that is due by `until`."""
        while (due := self.device.next_deadline()) is not None and due <= until:
            self._now = max(self._now, due)
            self._advance()
        self._now = max(self._now, until)

    def _advance(self) -> None:
        self.device.advance(self._now)
        self._listen()

    def _hold(self, owed: Held) -> bool:
        """Hold the recording until a command is over; False if the twin does not end it."""
        began = self._now
        self._hold_at = began - self._start - self.held_us
        limit = Micros(began + max(HOLD_LEAST_US, HOLD_FACTOR * owed.waited_us))
        while owed.asked not in self._ended:
            beat = self._next_beat()
            due = self.device.next_deadline()
            wake = beat if due is None else due if beat is None else min(beat, due)
            if wake is None or wake > limit:
                self.stuck = owed._replace(waited_us=limit - began)
                return False
            self._now = max(self._now, wake)
            if beat is not None and beat <= self._now:
                self._beat()
            self._advance()
        self._holds.append((began, self.held_us))
        self.held_us += self._now - began
        self._hold_at = None
        return True

    def _next_beat(self) -> Micros | None:
        """Return when a host that is held would have sent its next heartbeat."""
        times = [
            self._fed_at.get(name, 0) + port.exchange.pace.heartbeat_us
            for name, port in self.ports.items()
            if port.exchange.linked
        ]
        return Micros(min(times)) if times else None

    def _beat(self) -> None:
        for name, port in self.ports.items():
            due = self._fed_at.get(name, 0) + port.exchange.pace.heartbeat_us
            if port.exchange.linked and due <= self._now:
                self.device.receive(port, encode_message(M.HostHeartbeat(), 0, port.exchange.link_id), self._now)
                self._fed_at[name] = self._now

    # --- words -----------------------------------------------------------------------------------------------

    def _call(self, step: Called) -> None:
        call = _CALLS[str(step.event["event"])]
        with guarded(Packet(step.at_us, 0, NO_DIRECTION, b"")):
            call(self._calls, step.event, self._now)
        self._listen()

    def _feed(self, piece: Piece) -> None:
        port = self.ports.get(piece.port)
        if port is None:  # what came to no port: the device did not hear it
            return
        data = b"".join(self._word(piece.port, item) for item in piece.items)
        self._fed_at[piece.port] = self._now
        self.device.receive(port, data, self._now)
        self._listen()

    def _word(self, port: str, item: Frame | BadFrame) -> bytes:
        """Return a recorded frame as this device has to hear it."""
        if isinstance(item, BadFrame):
            return b"\0%b\0" % item.raw
        said = said_of(0, HOST, item)
        header, message = item.header, said.message
        self._tell(message, (port, self._number_of(port, header.link_id), header.correlation_id))
        link = self._twin_links.get((port, header.link_id), header.link_id)
        if isinstance(message, M.Punch) and self.held_us:
            late = message.deadline_ms + self.held_us // MILLISECOND & 0xFFFF_FFFF
            again = M.Punch(cycle_no=message.cycle_no, depth_um=message.depth_um, deadline_ms=late)
            return encode_message(again, header.seq, link, header.correlation_id, header.flags)
        return encode_frame(header._replace(link_id=link), item.payload)

    def _number_of(self, port: str, link_id: int) -> int:
        return self._numbers.get((port, link_id), 0)

    def _tell(self, message: Message | None, asked: Asked) -> None:
        """Tell the plant what chance brought to the recorded device."""
        if isinstance(message, M.Suction | M.Count) and message.cycle_no == self.device.nvm.last_cycle_no:
            self.device.plant.told_cores = self._cores.get(message.cycle_no)
        elif isinstance(message, M.Purge):
            self.device.plant.told_cleared = self._cleared.get(asked)
        elif isinstance(message, M.Reposition):
            self.device.plant.told_hand_us = self._hand_us.get(asked)

    def _listen(self) -> None:
        """Take what the device has said since."""
        for name, port in self.ports.items():
            for data in port.exchange.take():
                for item in self._decoders.setdefault(name, FrameDecoder()).feed(data):
                    assert isinstance(item, Frame), "the device spoils no frame of its own"
                    self._note(name, item)
        self._look()

    def _look(self) -> None:
        """Keep a picture of the device where it has changed."""
        board, pictures = self.device.board, self.pictures
        seen = heartbeat(board, self._now)
        if not pictures or tuple(seen)[:-1] != tuple(pictures[-1].heartbeat)[:-1]:
            pictures.append(Picture(self._time, seen))

    @property
    def _time(self) -> int:
        """Return the time of the recording, which stands still while it is held."""
        return self._now - self._start - self.held_us if self._hold_at is None else self._hold_at

    @property
    def _shift_us(self) -> int:
        """Return how much the twin is behind the recording."""
        return self._now - self._start - self._time

    def _note(self, port: str, frame: Frame) -> None:
        said = said_of(self._time, DEVICE, frame)
        self.heard.setdefault(port, []).append(Heard(said, self._shift_us, self._hold_at is not None))
        number = self._links.number(said, port)
        if is_final(said):
            self._ended.add((port, number, said.header.correlation_id))
        if isinstance(said.message, M.Welcome) and not said.replayed:
            for (name, link_id), recorded in self._numbers.items():
                if (name, recorded) == (port, number + 1):
                    self._twin_links[port, link_id] = said.message.link_id


_CALLS: Final = {"attach": Calls.attach, "detach": Calls.detach, "set_alarm": Calls.set_alarm, "close": Calls.close}


def _finals(conversation: Conversation) -> deque[Held]:
    """Return when each command was over in the recording, in order."""
    found = []
    for port, frames in conversation.said.items():
        links, over = Links(), set[Asked]()
        asked_at: dict[Asked, int] = {}
        for said in frames:
            key = (port, links.number(said, port), said.header.correlation_id)
            if said.sender == HOST:
                asked_at.setdefault(key, said.at_us)
            elif is_final(said) and key in asked_at and key not in over:
                over.add(key)
                found.append(Held(key, said.place, said.at_us - asked_at[key]))
    return deque(sorted(found, key=lambda held: held.place))


def _link_numbers(conversation: Conversation) -> dict[tuple[str, int], int]:
    """Return the number of each link by the recorded device's id for it: from 1, since before it there was none."""
    numbers: dict[tuple[str, int], int] = {}
    for port, frames in conversation.said.items():
        count = 0
        for said in frames:
            if isinstance(said.message, M.Welcome) and said.sender == DEVICE and not said.replayed:
                count += 1
                numbers[port, said.message.link_id] = count
    return numbers


def _cores(conversation: Conversation) -> dict[int, int]:
    """Return the needles that brought a core in each cycle that was counted."""
    cores = {}
    for said in conversation.of_device():
        if isinstance(said.message, M.CountDone):
            cores[said.message.cycle_no] = _counted(said.message.outcomes)
    return cores


def _counted(outcomes: int) -> int:
    needles: Sequence[int] = range(_MAX_NEEDLES)
    return sum(1 << needle for needle in needles if outcomes >> 4 * needle & 0xF == NeedleOutcome.COUNTED)


def _cleared_and_hand(conversation: Conversation) -> tuple[dict[Asked, int], dict[Asked, int]]:
    """Return the needles that each PURGE has freed, and how long each REPOSITION took."""
    cleared: dict[Asked, int] = {}
    hand_us: dict[Asked, int] = {}
    asked_at: dict[Asked, int] = {}
    for port, frames in conversation.said.items():
        links = Links()
        for said in frames:
            asked = (port, links.number(said, port), said.header.correlation_id)
            if isinstance(said.message, M.PurgeDone):
                cleared[asked] = said.message.cleared
            elif isinstance(said.message, M.Reposition):
                asked_at.setdefault(asked, said.at_us)
            elif isinstance(said.message, M.RepositionDone) and asked in asked_at:
                hand_us.setdefault(asked, said.at_us - asked_at[asked])
    return cleared, hand_us
