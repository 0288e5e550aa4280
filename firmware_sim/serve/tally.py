"""What a report counts of one host, and the sentences that follow from it, by rule.

Law: pure. `REMEDIES` and `VERDICTS` are the tables; docs/first-contact.md is made of the first.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from firmware_sim.interlocks import INTERLOCKS
from protocols.enums import CloseReason, Code, Role
from protocols.framing import MAX_ENCODED_SIZE, BadReason
from protocols.requests import FIRST_RTO_US
from protocols.units import MILLISECOND, Micros

REMEDIES: Final = {
    Code.E_UNKNOWN_MESSAGE: "compare kind and message id with docs/generated/messages.md",
    Code.E_SCHEMA: "send schema_id 0 (not compared), or the expected one once the layouts are the same",
    Code.E_VERSION: "speak major 1: bit 1 of `majors`, and 1 in the high four bits of a frame's first byte",
    Code.E_LINK: "say HELLO, and put the link id of its WELCOME into every frame",
    Code.E_STATE: "look at the state in the heartbeat: the command has no place in this one",
    Code.E_INTERLOCK: "do what the sentence asks for, then send the command anew",
    Code.E_BUSY: "another host has control: wait until it has gone, or look on as a viewer",
    Code.E_ARGUMENT: "correct the field that the sentence names, or the payload's size",
    Code.E_RANGE: "keep within what the sentence and `expected` allow",
    Code.E_EXPIRED: "too late or used up: a new command takes a newer correlation id, a PUNCH a later deadline_ms",
    Code.E_CYCLE_GAP: "use last cycle_no + 1",
    Code.E_STORAGE: "read the journal and acknowledge it; where the memory takes no more, make room on its disk",
    Code.E_AUTH: "a viewer asks, only the controller commands; some parameters stand from the start",
    Code.E_UNSUPPORTED: "leave it out: this device does not have it",
    Code.E_INTERNAL: "the device is at fault: keep the trace and report it",
}
"""Refusal -> what its host should do next."""


class Closed(NamedTuple):
    """A session that a host closed, with the counts that the device confirmed."""

    session_no: int
    reason: CloseReason
    cycles: int
    cores_counted: int


@dataclass(slots=True)
class Refusals:
    """Refusals of one code and interlock: how many, of which commands, and the first one's sentence."""

    sentence: str
    count: int = 0
    commands: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """One host, or all connections of one transport on which nobody ever linked (`host_id` None)."""

    host_id: int | None = None
    role: Role = Role.UNKNOWN
    transports: list[str] = field(default_factory=list)
    links: int = 0
    linked_us: Micros = Micros(0)
    heartbeat_armed_ms: int = 0
    heartbeat_idle_ms: int = 0
    lease_off: bool = False
    lease_at_rest_off: bool = False
    bytes_received: int = 0
    frames_received: int = 0
    frames_sent: int = 0
    bad_frames: Counter[BadReason] = field(default_factory=Counter)
    crc_mistakes: Counter[str] = field(default_factory=Counter)
    hellos: int = 0
    unanswerable: int = 0
    """Commands over MQTT that do not say where their answer is to go."""
    commands: Counter[str] = field(default_factory=Counter)
    retransmits: int = 0
    replays: int = 0
    naks: dict[Code, Refusals] = field(default_factory=dict)
    refusals: dict[tuple[Code, int], Refusals] = field(default_factory=dict)
    failed: int = 0
    aborted: int = 0
    leases_expired_armed: int = 0
    leases_expired_idle: int = 0
    left_armed: int = 0
    """Links that ended with their connection, or by the host's BYE, while it held the device armed."""
    cycles: int = 0
    closed: list[Closed] = field(default_factory=list)
    left_open: int = 0
    """The session that it opened and that is open now; 0 for none."""

    def refused(self, code: Code, interlock: int, command: str, sentence: str) -> None:
        """Note a refusal of a command."""
        _note(self.refusals.setdefault((code, interlock), Refusals(sentence)), command)

    def naked(self, code: Code, what: str, sentence: str) -> None:
        """Note a NAK."""
        _note(self.naks.setdefault(code, Refusals(sentence)), what)

    def absorb(self, other: "Tally") -> None:
        """Add what was counted on a connection before it was known whose it is."""
        for name in (
            "bytes_received",
            "frames_received",
            "frames_sent",
            "hellos",
            "unanswerable",
            "retransmits",
            "replays",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("bad_frames", "crc_mistakes", "commands"):
            getattr(self, name).update(getattr(other, name))
        for code, seen in other.naks.items():
            mine = self.naks.setdefault(code, Refusals(seen.sentence))
            mine.count += seen.count
            mine.commands.update(seen.commands)
        for transport in other.transports:
            if transport not in self.transports:
                self.transports.append(transport)

    def verdict(self) -> list[str]:
        """What there is to say, in the order of the table."""
        said = [sentence for rule in VERDICTS if rule.holds(self) for sentence in rule.say(self)]
        return said or ["Nothing to remark."]


def _note(seen: Refusals, command: str) -> None:
    seen.count += 1
    seen.commands[command] += 1


class Verdict(NamedTuple):
    """When a rule has something to say, and its sentences."""

    holds: Callable[[Tally], bool]
    say: Callable[[Tally], list[str]]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def count_of(count: int, noun: str) -> str:
    """A number and its noun: `1 cycle`, `2 cycles`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _close(closed: Closed) -> str:
    if closed.reason is CloseReason.ABANDONED:
        return f"Session {closed.session_no} was abandoned: its counts were never compared."
    done = f"{count_of(closed.cores_counted, 'core')} in {count_of(closed.cycles, 'cycle')}"
    if closed.reason is CloseReason.COMPLETED:
        return f"Good: {done}, closed and reconciled."
    return f"Session {closed.session_no} was closed as aborted: {done}, reconciled."


def _refusals(tally: Tally) -> list[str]:
    said = []
    for (code, interlock), seen in tally.refusals.items():
        which = f" {interlock} ({INTERLOCKS[interlock].name})" if interlock in INTERLOCKS else ""
        commands = f"{count_of(seen.count, 'command')} {'was' if seen.count == 1 else 'were'}"
        said.append(f"{commands} refused {code.name}{which}: {_remedy(code, interlock, seen.sentence)}.")
    return said


def _remedy(code: Code, interlock: int, sentence: str) -> str:
    """An interlock's own sentence is more to the point than its code's remedy."""
    return sentence.rstrip(".") if interlock else REMEDIES.get(code, sentence.rstrip("."))


def _naks(tally: Tally) -> list[str]:
    return [
        f"{count_of(seen.count, 'frame')} could not be taken, {code.name}: {_remedy(code, 0, seen.sentence)}."
        for code, seen in tally.naks.items()
    ]


def _bad_frames(tally: Tally) -> list[str]:
    bad = tally.bad_frames
    total = bad.total()
    of = f"{total} bad {'frame' if total == 1 else 'frames'}"
    said = []
    if wrong := bad[BadReason.CRC]:
        known = ", ".join(tally.crc_mistakes) or "check the polynomial (CRC-32C, not CRC-32) and what it is taken over"
        said.append(f"The CRC is wrong in {wrong} of {of}: {known}.")
    if stuffed := bad[BadReason.COBS] + bad[BadReason.SHORT]:
        said.append(f"{stuffed} of {of}: no frame after unstuffing; COBS, and a zero on both sides of each frame.")
    if wrong := bad[BadReason.LENGTH]:
        said.append(f"The last byte of the header is wrong in {wrong} of {of}: it is the payload's size.")
    if wrong := bad[BadReason.OVERSIZE]:
        said.append(f"{wrong} of {of}: more than {MAX_ENCODED_SIZE} bytes without a zero.")
    return said


def _leases(tally: Tally) -> list[str]:
    said = []
    if tally.leases_expired_armed:
        pace = f"every {tally.heartbeat_armed_ms} ms while armed"
        times = _times(tally.leases_expired_armed)
        said.append(f"The lease expired {times}: heartbeats came too late ({pace}).")
    if tally.leases_expired_idle:
        pace = f"every {tally.heartbeat_idle_ms / 1000:g} s while idle"
        said.append(f"The lease expired {_times(tally.leases_expired_idle)} at rest: silence without BYE ({pace}).")
    return said


def _controls(tally: Tally) -> bool:
    return tally.links > 0 and tally.role is Role.CONTROLLER


VERDICTS: Final = (
    Verdict(
        lambda t: t.host_id is None and not t.hellos,
        lambda t: [
            f"It never said HELLO: {count_of(t.frames_received, 'frame')} in {count_of(t.bytes_received, 'byte')}."
        ],
    ),
    Verdict(lambda t: t.host_id is None and t.hellos > 0, lambda t: ["Its HELLO was not granted."]),
    Verdict(
        lambda t: t.unanswerable > 0,
        lambda t: [
            f"{count_of(t.unanswerable, 'publication')} had no Response Topic .../reply/CLIENT beside "
            ".../command/NAME: nobody could be answered."
        ],
    ),
    Verdict(lambda t: bool(t.closed), lambda t: [_close(closed) for closed in t.closed]),
    Verdict(lambda t: t.left_open > 0, lambda t: [f"It left the session open: session {t.left_open}."]),
    Verdict(
        lambda t: _controls(t) and not (t.commands["SessionOpen"] or t.cycles or t.closed),
        lambda t: ["It linked as controller and opened no session."],
    ),
    Verdict(lambda t: t.leases_expired_armed + t.leases_expired_idle > 0, _leases),
    Verdict(
        lambda t: t.left_armed > 0,
        lambda t: [
            f"Its link ended {_times(t.left_armed)} while armed, by BYE, by a new HELLO, or with its connection or the "
            "device's broker: MC-1501 was raised, and an open cycle ended ABORTED; DISARM comes first."
        ],
    ),
    Verdict(
        lambda t: t.lease_off,
        lambda t: ["The lease was switched off: with a real device its loss would have stopped the motion."],
    ),
    Verdict(
        lambda t: t.lease_at_rest_off,
        lambda t: ["The lease at rest was switched off: with a real device a long silence would have ended the link."],
    ),
    Verdict(lambda t: bool(t.refusals), _refusals),
    Verdict(lambda t: bool(t.naks), _naks),
    Verdict(lambda t: bool(t.bad_frames), _bad_frames),
    Verdict(
        lambda t: t.failed + t.aborted > 0,
        lambda t: [f"{count_of(t.failed, 'motion')} FAILED, {count_of(t.aborted, 'motion')} ABORTED: see the journal."],
    ),
    Verdict(
        lambda t: t.retransmits > 0,
        lambda t: [
            f"It sent {count_of(t.retransmits, 'frame')} again, and {count_of(t.replays, 'answer')} came from memory: "
            f"answers were lost, or its first retry is too early ({FIRST_RTO_US // MILLISECOND} ms)."
        ],
    ),
    Verdict(
        lambda t: t.cycles > 0 and not t.commands["JournalRead"],
        lambda t: ["It never read the journal: a count is a fold of its records, not of replies."],
    ),
    Verdict(
        lambda t: t.cycles > 0 and t.commands["JournalRead"] > 0 and not t.commands["JournalAck"],
        lambda t: ["It never acknowledged the journal: PUNCH is refused E_STORAGE once that is full."],
    ),
)
"""Condition -> sentences, in the order in which a report has them."""
