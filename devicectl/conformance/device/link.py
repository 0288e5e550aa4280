"""One link of the probe: its HELLO, its commands and their answers.

Law: it says what a host says, or what a case has it say instead, and judges nothing but that an answer came.
"""

from typing import Final, NamedTuple

from devicectl.conformance.device.probe import BrokenRule, Heard, Probe, Steps
from protocols.language.enums import Kind, Role
from protocols.language.message import Message
from protocols.language.messages import Hello, HostHeartbeat, Nak, Progress, Received, Refused, Welcome
from protocols.language.schema import schema_id
from protocols.language.units import MILLISECOND, Micros
from protocols.language.version import MAJOR, MINOR
from protocols.link.header import REPLY_WANTED, Header

ANSWER_MS: Final = 5_000
"""Time for an answer that is owed at once: a frame of 243 bytes takes half a second each way at 4,800 baud."""
MIN_BEAT_MS: Final = 50
"""Shortest time between two heartbeats of the probe."""


class Answer(NamedTuple):
    """The end of a command, and what came before it."""

    at: Micros
    asked: Micros
    header: Header
    message: Message
    received: tuple[Heard, ...]
    progress: tuple[Heard, ...]

    @property
    def took_us(self) -> int:
        """Time from the command to its end."""
        return self.at - self.asked


class Link:
    """A link on a channel; `beats` keeps it alive while the probe waits."""

    def __init__(self, probe: Probe, channel: int, welcome: Welcome, header: Header) -> None:
        self.probe = probe
        self.channel = channel
        self.welcome = welcome
        self.header = header
        self.link_id = header.link_id
        self.seq = 0
        self.correlation = 0
        self.beats = True
        self.welcomed_at = probe.now
        self._last_sent = probe.now
        armed = welcome.heartbeat_armed_ms or 200
        self._beat_us = max(MIN_BEAT_MS, armed) * MILLISECOND

    def send(
        self,
        message: Message,
        *,
        correlation: int = 0,
        flags: int = 0,
        link_id: int | None = None,
        seq: int | None = None,
    ) -> int:
        """Send a message on this link; returns its seq."""
        self.seq = (self.seq + 1 if seq is None else seq) & 0xFFFF
        wire = self.probe.channels[self.channel].wire
        used = self.link_id if link_id is None else link_id
        self.probe.send(self.channel, wire.encode(message, self.seq, used, correlation, flags))
        self._last_sent = self.probe.now
        return self.seq

    def beat_at_once(self) -> None:
        """Send a heartbeat now: a broker's hosts do, and no other has to wait for one."""
        self.send(HostHeartbeat())

    def next_correlation(self) -> int:
        """Return the next correlation id."""
        self.correlation = self.correlation % 0xFFFF + 1
        return self.correlation

    def beat(self) -> Micros:
        """Send a heartbeat if one is due; returns the time of the next."""
        if self.probe.now >= self._last_sent + self._beat_us:
            self.send(HostHeartbeat())
        return Micros(self._last_sent + self._beat_us)

    def command(self, message: Message, *, correlation: int | None = None, flags: int = REPLY_WANTED) -> int:
        """Send a command and return its correlation id."""
        used = self.next_correlation() if correlation is None else correlation
        self.send(message, correlation=used, flags=flags)
        return used

    def ask(
        self,
        message: Message,
        *,
        correlation: int | None = None,
        flags: int = REPLY_WANTED,
        limit_ms: float = ANSWER_MS,
    ) -> Steps[Answer]:
        """Send a command and wait for its end, after RECEIVED for twice as long as the device says.

        Raises:
            BrokenRule: no end came.
        """
        asked = self.probe.now
        used = self.command(message, correlation=correlation, flags=flags)
        return (yield from self.end_of(message, used, asked, limit_ms=limit_ms))

    def end_of(
        self, message: Message, correlation: int, asked: Micros, *, limit_ms: float = ANSWER_MS
    ) -> Steps[Answer]:
        """Wait for the end of a command that was sent."""
        received: list[Heard] = []
        progress: list[Heard] = []
        name = type(message).__name__
        while True:
            heard = yield from self.probe.wait(
                f"an answer to {name}", lambda one: self._answers(one, correlation), limit_ms, channel=self.channel
            )
            answer = heard.message
            if isinstance(answer, Received):
                received.append(heard)
                limit_ms = ANSWER_MS + 2 * min(answer.expected_ms, MAX_EXPECTED_MS)
            elif isinstance(answer, Progress):
                progress.append(heard)
            elif answer is None:
                raise BrokenRule(f"the answer to {name}", "a message of the tables", heard.item.problem)
            else:
                return Answer(heard.at, asked, heard.header, answer, tuple(received), tuple(progress))

    def _answers(self, heard: Heard, correlation: int) -> bool:
        return (
            heard.channel == self.channel
            and heard.header.correlation_id == correlation
            and heard.header.kind in (Kind.REPLY, Kind.PROGRESS, Kind.LINK)
        )


MAX_EXPECTED_MS: Final = 20_000
"""Longest time that a device may name and the probe believes: a case must end."""
NO: Final = (Refused, Nak)
"""Answers that say no."""


def hello(
    host_id: int,
    nonce: int,
    *,
    role: Role = Role.CONTROLLER,
    max_payload_size: int = 224,
    majors: int = 1 << MAJOR,
    minor: int = MINOR,
    schema: int | None = None,
) -> Hello:
    """Make a HELLO, as a right host says it but for what is given."""
    return Hello(
        majors=majors,
        minor=minor,
        role=role,
        features=0,
        schema_id=schema_id(minor) if schema is None else schema,
        host_id=host_id,
        max_payload_size=max_payload_size,
        nonce=nonce,
    )
