"""Counts of one host for the report, and the sentences that follow from them, by rule.

Law: pure. `REMEDIES` and `VERDICTS` are the tables; docs/first-contact.md is made of the first. A sentence may change
with any version; its code is what programs branch on, and stays.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from firmware_sim.model.interlocks import INTERLOCKS
from protocols.language.enums import CloseReason, Code, Role
from protocols.language.units import MILLISECOND, Micros
from protocols.link.port import BadReason
from protocols.link.requests import FIRST_RTO_US
from protocols.serial.diagnosis import Finding, Heard, crc_mistakes, line_change, shown
from protocols.serial.framing import MAX_ENCODED_SIZE

REMEDIES: Final = {
    Code.E_UNKNOWN_MESSAGE: "compare kind and message id with messages.md, which `devicectl spec --out DIR` writes",
    Code.E_SCHEMA: "send schema_id 0 (not compared), or the expected one once the layouts are the same",
    Code.E_VERSION: "speak major 1: bit 1 of `majors`, and 1 in the high four bits of a frame's first byte",
    Code.E_LINK: "say HELLO, and put the link id of its WELCOME into every frame",
    Code.E_STATE: "look at the state in the heartbeat: the command has no place in this one",
    Code.E_INTERLOCK: "do what the sentence asks for, then send the command again",
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


NO_FAULT: Final = frozenset({"nothing", "completed", "sent_again"})
"""Codes of a host that did everything right. A machine that is slow makes it send again, and it was answered."""


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
    echoes: int = 0
    """The device's own frames that came back to it."""
    heard: Heard = field(default_factory=Heard)
    """Bytes that it sent and that are no frame."""
    line_flags: tuple[str, ...] = ()
    """Settings of a terminal that change bytes on the way, as the host left them."""
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
    left_armed: Counter[str] = field(default_factory=Counter)
    """Links that ended in another way than by their lease while it held the device armed: by that way."""
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
            "echoes",
            "hellos",
            "unanswerable",
            "retransmits",
            "replays",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.commands.update(other.commands)
        self.heard.absorb(other.heard)
        self.line_flags = self.line_flags or other.line_flags
        for code, seen in other.naks.items():
            mine = self.naks.setdefault(code, Refusals(seen.sentence))
            mine.count += seen.count
            mine.commands.update(seen.commands)
        for transport in other.transports:
            if transport not in self.transports:
                self.transports.append(transport)

    def findings(self) -> list[Finding]:
        """All that there is to say, in the order of the table."""
        said = [Finding(rule.code, sentence) for rule in VERDICTS if rule.holds(self) for sentence in rule.say(self)]
        return said or [Finding("nothing", "Nothing to remark.")]

    @property
    def ok(self) -> bool:
        """Nothing is found but what is no fault."""
        return all(finding.code in NO_FAULT for finding in self.findings())


def _note(seen: Refusals, command: str) -> None:
    seen.count += 1
    seen.commands[command] += 1


class Verdict(NamedTuple):
    """A rule: its code, when it has something to say, and its sentences."""

    code: str
    holds: Callable[[Tally], bool]
    say: Callable[[Tally], list[str]]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _ways(ways: Counter[str]) -> str:
    """`by BYE`; with their numbers where there are several."""
    if len(ways) == 1:
        return next(iter(ways))
    return ", ".join(f"{count} {way}" for way, count in ways.items())


def count_of(count: int, noun: str) -> str:
    """A number and its noun: `1 cycle`, `2 cycles`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _done(closed: Closed) -> str:
    return f"{count_of(closed.cores_counted, 'core')} in {count_of(closed.cycles, 'cycle')}"


def _closes(code: str, reasons: tuple[CloseReason, ...], say: Callable[[Closed], str]) -> Verdict:
    """The rule for sessions that were closed for one of `reasons`."""
    return Verdict(
        code,
        lambda tally: any(closed.reason in reasons for closed in tally.closed),
        lambda tally: [say(closed) for closed in tally.closed if closed.reason in reasons],
    )


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


def _bad(*reasons: BadReason) -> Callable[[Tally], bool]:
    """Frames are bad for one of `reasons`, and nothing between host and device made them so."""
    return lambda tally: any(tally.heard.bad[reason] for reason in reasons) and not _line(tally)


def _of_bad(tally: Tally, *reasons: BadReason) -> str:
    """`3 of 5 bad frames`."""
    total = tally.heard.bad.total()
    return f"{sum(tally.heard.bad[reason] for reason in reasons)} of {total} bad {'frame' if total == 1 else 'frames'}"


def _wrong_crc(tally: Tally) -> str:
    known = crc_mistakes(tally.heard) or "check the polynomial (CRC-32C, not CRC-32) and what it is taken over"
    return f"The CRC is wrong in {_of_bad(tally, BadReason.CRC)}: {known}."


def _no_hello(tally: Tally) -> str:
    said = f"It never said HELLO: {count_of(tally.frames_received, 'frame')} in "
    said += count_of(tally.bytes_received, "byte")
    waits = shown(tally.heard) if not tally.frames_received else ""
    return f"{said}, which begin: {waits}." if waits else f"{said}."


def _line(tally: Tally) -> str:
    """Sentence on a change of bytes between host and device, seen or proven: then no frame was built wrongly."""
    if tally.line_flags:
        return f"the host left {', '.join(tally.line_flags)} on: its terminal has to be raw"
    found = line_change(tally.heard)
    return "" if found is None else found.sentence


def _controls(tally: Tally) -> bool:
    return tally.role is Role.CONTROLLER


VERDICTS: Final = (
    Verdict(
        "no_hello",
        lambda t: t.host_id is None and not t.hellos,
        lambda t: [_no_hello(t)],
    ),
    Verdict("no_link", lambda t: t.host_id is None and t.hellos > 0, lambda t: ["Its HELLO was not granted."]),
    Verdict(
        "line_echoes",
        lambda t: t.echoes > 0,
        lambda t: [
            f"The line echoes: {count_of(t.echoes, 'frame')} of the device's own came back to it. Switch echo off: "
            "ECHO of the terminal (stty -echo, or raw mode), or what a two-wire adapter hears of itself."
        ],
    ),
    Verdict(
        "no_response_topic",
        lambda t: t.unanswerable > 0,
        lambda t: [
            f"{count_of(t.unanswerable, 'publication')} had no Response Topic .../reply/CLIENT beside "
            ".../command/NAME: nobody could be answered."
        ],
    ),
    _closes("completed", (CloseReason.COMPLETED,), lambda closed: f"Good: {_done(closed)}, closed and reconciled."),
    _closes(
        "aborted",
        (CloseReason.ABORTED, CloseReason.UNKNOWN),
        lambda closed: f"Session {closed.session_no} was closed as aborted: {_done(closed)}, reconciled.",
    ),
    _closes(
        "abandoned",
        (CloseReason.ABANDONED,),
        lambda closed: f"Session {closed.session_no} was abandoned: its counts were never compared.",
    ),
    Verdict("left_open", lambda t: t.left_open > 0, lambda t: [f"It left the session open: session {t.left_open}."]),
    Verdict(
        "no_session",
        lambda t: _controls(t) and not (t.commands["SessionOpen"] or t.cycles or t.closed),
        lambda t: ["It linked as controller and opened no session."],
    ),
    Verdict(
        "lease_expired_armed",
        lambda t: t.leases_expired_armed > 0,
        lambda t: [
            f"The lease expired {_times(t.leases_expired_armed)}: heartbeats came too late "
            f"(every {t.heartbeat_armed_ms} ms while armed)."
        ],
    ),
    Verdict(
        "lease_expired_at_rest",
        lambda t: t.leases_expired_idle > 0,
        lambda t: [
            f"The lease expired {_times(t.leases_expired_idle)} at rest: silence without BYE "
            f"(every {t.heartbeat_idle_ms / 1000:g} s while idle)."
        ],
    ),
    Verdict(
        "left_armed",
        lambda t: bool(t.left_armed),
        lambda t: [
            f"Its link ended {_times(t.left_armed.total())} while armed, {_ways(t.left_armed)}: MC-1501 was raised, "
            "and an open cycle ended ABORTED; DISARM comes first."
        ],
    ),
    Verdict(
        "lease_off",
        lambda t: t.lease_off,
        lambda t: ["The lease was switched off: with a real device its loss would have stopped the motion."],
    ),
    Verdict(
        "lease_at_rest_off",
        lambda t: t.lease_at_rest_off,
        lambda t: ["The lease at rest was switched off: with a real device a long silence would have ended the link."],
    ),
    Verdict("refused", lambda t: bool(t.refusals), _refusals),
    Verdict("not_taken", lambda t: bool(t.naks), _naks),
    Verdict("line", lambda t: bool(_line(t)), lambda t: [f"On the line, {_line(t)}.".replace("?.", "?")]),
    Verdict("bad_crc", _bad(BadReason.CRC), lambda t: [_wrong_crc(t)]),
    Verdict(
        "bad_stuffing",
        _bad(BadReason.COBS, BadReason.SHORT),
        lambda t: [
            f"{_of_bad(t, BadReason.COBS, BadReason.SHORT)}: no frame after unstuffing; COBS, and a zero on both sides "
            "of each frame."
        ],
    ),
    Verdict(
        "bad_length",
        _bad(BadReason.LENGTH),
        lambda t: [
            f"The last byte of the header is wrong in {_of_bad(t, BadReason.LENGTH)}: it is the payload's size."
        ],
    ),
    Verdict(
        "oversize",
        _bad(BadReason.OVERSIZE),
        lambda t: [f"{_of_bad(t, BadReason.OVERSIZE)}: more than {MAX_ENCODED_SIZE} bytes without a zero."],
    ),
    Verdict(
        "motion_failed",
        lambda t: t.failed + t.aborted > 0,
        lambda t: [f"{count_of(t.failed, 'motion')} FAILED, {count_of(t.aborted, 'motion')} ABORTED: see the journal."],
    ),
    Verdict(
        "sent_again",
        lambda t: t.retransmits > 0,
        lambda t: [
            f"It sent {count_of(t.retransmits, 'frame')} again, and {count_of(t.replays, 'answer')} came from memory: "
            f"answers were lost, or its first retry is too early ({FIRST_RTO_US // MILLISECOND} ms)."
        ],
    ),
    Verdict(
        "journal_unread",
        lambda t: t.cycles > 0 and not t.commands["JournalRead"],
        lambda t: ["It never read the journal: a count is a fold of its records, not of replies."],
    ),
    Verdict(
        "journal_unacknowledged",
        lambda t: t.cycles > 0 and t.commands["JournalRead"] > 0 and not t.commands["JournalAck"],
        lambda t: ["It never acknowledged the journal: PUNCH is refused E_STORAGE once that is full."],
    ),
)
"""Code, condition -> sentences, in the order in which a report has them."""
