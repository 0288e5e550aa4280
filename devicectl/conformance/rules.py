"""Rules of the protocol that the other end can see kept or broken, as one table.

The sentence that states a rule is in docs/protocol.md or docs/mqtt.md, behind its number; here is a short form for
reports. A test holds both together.

Law: a value. A number is never used again for another rule.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class Level(StrEnum):
    """Weight of a rule: a broken MUST fails a run, anything else is reported."""

    MUST = "must"
    SHOULD = "should"
    INFO = "info"


class Duty(StrEnum):
    """End that keeps a rule."""

    DEVICE = "device"
    HOST = "host"
    BOTH = "both"

    def is_of(self, end: "Duty") -> bool:
        """Return True if `end` has to keep it."""
        return self in (end, Duty.BOTH)


class Rule(NamedTuple):
    """One rule. `id` is its number, as `HLP-CYC-3`; `text` says it in one line."""

    id: str
    level: Level
    duty: Duty
    text: str

    @property
    def group(self) -> str:
        """The group in its number, such as CYC."""
        return self.id.split("-")[1]


def _group(name: str, rows: Iterable[tuple[str, str]]) -> list[Rule]:
    """Number the rows of a group from 1. A row's word is its duty, with `should` in front where it is no MUST."""
    rules = []
    for number, (words, text) in enumerate(rows, 1):
        *level, duty = words.split()
        rules.append(Rule(f"HLP-{name}-{number}", Level(level[0]) if level else Level.MUST, Duty(duty), text))
    return rules


_FRAMES: Final = (
    ("both", "a frame has no zero inside and a zero on both sides"),
    ("both", "two frames with one zero between them are both found"),
    ("both", "frames are found however their bytes are cut into pieces"),
    ("both", "seq rises by one with each new frame of a link"),
    ("both", "a frame carries the link id of WELCOME, a NAK that of the frame it is about"),
    ("both", "an answer carries its request's correlation id, what nobody asked for carries 0"),
    ("both", "a frame is taken whatever its node says"),
    ("both", "bytes that are no frame are not answered"),
    ("both", "the next whole frame behind bytes that are none is taken"),
    ("both", "bytes that are no frame renew no lease"),
    ("both", "a good frame that cannot be taken is answered: a command by REFUSED, anything else by NAK"),
    ("both", "the seq of a NAK is that of the frame it is about"),
    ("device", "a command without a correlation id gets NAK, E_ARGUMENT, and is not carried out"),
    ("both", "a frame with an unknown must-understand flag gets NAK, E_UNSUPPORTED, and is not carried out"),
    ("both", "an ignorable flag is passed over"),
    ("both", "a frame of another major gets NAK, E_VERSION, with both majors"),
    ("device", "no more than ten NAKs a second are sent"),
    ("both", "a NAK is not answered with a NAK"),
)

_PAYLOADS: Final = (
    ("both", "each payload that is sent is one of the tables"),
    ("both", "a bool is sent as 0 or 1"),
    ("both", "a payload that is too short is refused whole, E_ARGUMENT"),
    ("both", "a payload with half an array element is refused, E_ARGUMENT"),
    ("both", "a field out of its range is refused, E_ARGUMENT"),
    ("both", "a number that is NaN or infinite is refused, E_ARGUMENT"),
    ("both", "a text with something behind its first NUL, or that is no UTF-8, is refused, E_ARGUMENT"),
    ("device", "a command with an unknown enumerator is refused, E_ARGUMENT"),
    ("both", "bytes behind the known fields are passed over"),
    ("device", "an unknown command is refused, E_UNKNOWN_MESSAGE, and the link goes on"),
    ("both", "another unknown message gets NAK, E_UNKNOWN_MESSAGE, and the link goes on"),
    ("device", "a schema id that differs gets NAK, E_SCHEMA, with both ids"),
    ("both", "schema id 0 is not compared"),
    ("device", "WELCOME has the schema id of the lower minor"),
    ("host", "a link whose WELCOME has another schema id is left"),
    ("both", "ends of an older and a newer minor link"),
)

_LINK: Final = (
    ("host", "nothing is sent before HELLO, whose link id is 0"),
    ("device", "HELLO is answered by WELCOME or NAK"),
    ("device", "each link has a new id, and none has 0"),
    ("device", "WELCOME repeats the nonce of its HELLO"),
    ("device", "WELCOME names the role: viewer unless the host asked to control"),
    ("device", "a host of no common major gets NAK, E_VERSION, with both values"),
    ("device", "a host with number 0 gets NAK, E_ARGUMENT"),
    ("device", "a sixteenth viewer gets NAK, E_BUSY, and a controller is let in"),
    ("device", "a HELLO that comes twice gets the same WELCOME again"),
    ("device", "a new HELLO replaces the host's old link"),
    ("should device", "more than ten HELLOs a second are passed over in silence"),
    ("device", "no payload is longer than the host said that it takes"),
    ("device", "a host that takes less than 131 bytes gets NAK, E_ARGUMENT, with the range"),
    ("should device", "a page of the journal holds as many records as fit and were asked for"),
    ("device", "an ECHO whose answer would not fit is refused, E_RANGE"),
    ("device", "a payload of 224 bytes is taken"),
    ("both", "a frame of another link does nothing and gets NAK, E_LINK"),
    ("both", "a frame of another link renews no lease"),
    ("both", "nothing is sent that only the other end sends"),
    ("both", "an end's own message that comes back is not answered and does nothing"),
    ("both", "an end's own message that comes back renews no lease"),
    ("should host", "a host that has closed its session leaves the link by BYE"),
)

_LEASE: Final = (
    ("both", "an end that has been silent for the heartbeat time sends a heartbeat"),
    ("both", "an end that has heard nothing for the lease time holds the link to be lost"),
    ("both", "any valid frame of the link renews the lease"),
    ("device", "the times in WELCOME hold for their link, and a set parameter for the next"),
    ("both", "a lease of 0 never ends"),
    ("device", "the heartbeat is true as it is sent"),
    ("device", "an armed device that hears nothing goes to SAFE within its lease"),
    ("device", "BYE of the controlling host leads an armed device to SAFE at once"),
    ("device", "a new HELLO of the controlling host leads an armed device to SAFE"),
    ("device", "the open cycle ends ABORTED when the controlling link is lost"),
    ("device", "a lost controlling link raises a latched alarm"),
    ("device", "FAULT_RESET alone leads out of SAFE"),
    ("device", "the loss of a link that does not control changes nothing"),
)

_COMMANDS: Final = (
    ("device", "each command ends once: Done, REFUSED, FAILED or ABORTED"),
    ("device", "a query is answered with its end at once"),
    ("device", "a motion that takes time is answered with RECEIVED first"),
    ("device", "PROGRESS follows once a second while a motion lasts"),
    ("host", "correlation ids rise by one and skip 0"),
    ("device", "correlation ids are taken past 65,535, and with gaps"),
    ("host", "one motion is under way at a time"),
    ("device", "a second motion is refused while the first moves"),
    ("host", "no more than four queries are under way"),
    ("device", "four queries that come together are answered, also while the device moves"),
    ("device", "STOP is answered at once while the device moves"),
    ("host", "a command without an answer is sent again as it was, with RETRANSMIT"),
    ("host", "after five tries the link is held to be lost"),
    ("host", "after RECEIVED a command is sent again only when its end is overdue"),
    ("host", "a motion that was received is waited for four times as long as it said"),
    ("host", "RECEIVED and PROGRESS are no answer to a query"),
    ("device", "a command that was answered gets that answer again, REPLAYED, and does nothing"),
    ("device", "a command that still moves gets RECEIVED again"),
    ("device", "the last sixteen answers to motions are remembered, and as many to all else"),
    ("device", "a motion that is neither remembered nor newer is refused, E_EXPIRED"),
    ("device", "a used correlation id with another command is refused, E_EXPIRED"),
    ("device", "STOP is harmless when it comes twice"),
    ("device", "an accepted SESSION_OPEN gives control to its link"),
    ("device", "control ends with the session and with the link"),
    ("device", "where nobody holds control, the first accepted command of a controller takes it"),
    ("device", "a controller without control gets E_BUSY with the holder's number"),
    ("device", "acknowledging and setting are for the holder of control alone"),
    ("device", "a viewer that commands gets E_AUTH"),
    ("device", "any link may ask"),
    ("device", "any link may STOP"),
    ("device", "a parameter that no host may set is refused, E_AUTH"),
    ("device", "a value out of a parameter's range is refused, E_RANGE, and changes nothing"),
    ("device", "the list has each parameter under one index below its count"),
    ("device", "who cannot take a fault says E_UNSUPPORTED"),
    ("device", "any link may give the commands about faults"),
    ("device", "a refused command about faults has changed nothing"),
)

_CYCLES: Final = (
    ("device", "only the cycle number after the last one is carried out"),
    ("device", "the last number is answered with its outcome, REPLAYED, and nothing moves"),
    ("device", "PUNCH of the open cycle is answered with its own answer, E_STATE before there is one"),
    ("device", "PUNCH with an older number is refused, E_EXPIRED"),
    ("device", "PUNCH with a number further on is refused, E_CYCLE_GAP, with the one expected"),
    ("device", "SUCTION, ADVANCE and COUNT of a cycle that is not open are refused"),
    ("device", "the phases of a cycle follow each other in order, else E_STATE"),
    ("device", "ADVANCE of more steps takes as much longer"),
    ("device", "PUNCH after its deadline is refused, E_EXPIRED, in serial arithmetic"),
    ("device", "PUNCH of another depth than the session's is refused, E_RANGE"),
    ("device", "COUNT's answer agrees with itself and with the cycle's record"),
    ("device", "ARM is refused until each numbed zone is confirmed"),
    ("device", "a confirmation is refused before the wait is over"),
    ("device", "a zone or cell outside the plan is refused, interlock 9"),
    ("device", "a plan that cannot be done is refused, E_RANGE"),
    ("device", "a command in a state that it has no place in is refused, E_STATE or an interlock"),
    ("device", "STOP leads an armed device to SAFE, and the open cycle ends ABORTED"),
    ("device", "PAUSE is refused in a cycle, and PUNCH in a pause"),
    ("device", "DISARM and STOP leave the hand's place as it is"),
    ("device", "SESSION_OPEN takes the hand's place away"),
    ("device", "PUNCH without a place is refused, interlock 9"),
    ("host", "PUNCH is sent behind an ARM that was done, with the number after the last one shown"),
    ("device", "ADVANCE and REPOSITION are refused, interlock 1, while needles are not seen at home"),
    ("device", "PUNCH is refused by the interlock that stands against it, and its alarm is raised"),
    ("device", "a stroke that goes too deep, or stalls in each try, ends FAILED and locks the device"),
    ("device", "an open emergency stop leads an armed device to SAFE within 100 ms, with its alarm"),
    ("device", "a vacuum that is lost in a cycle ends it, FAILED, and the device is armed again with needles home"),
    ("device", "fluid in the handpiece locks the device, with its alarm"),
)

_EVENTS: Final = (
    ("device", "each cycle that has ended has one CYCLE record, and never a second"),
    ("device", "event_no counts records and never goes back"),
    ("device", "a read with another epoch is refused, E_ARGUMENT"),
    ("device", "a page has whole records in order from `first` on"),
    ("device", "a record reads the same each time"),
    ("device", "an acknowledgement moves the tail, never back"),
    ("device", "an acknowledgement beyond the head is refused, E_RANGE"),
    ("host", "nothing is acknowledged that is not stored"),
    ("device", "records that are no longer there are answered for by a GAP record"),
    ("device", "an alarm that changes is told to every link and is in the journal"),
    ("should device", "a refused command of the controller leaves a record"),
    ("device", "SESSION_CLOSE with other counts is refused with both numbers"),
    ("device", "SESSION_CLOSE as ABANDONED is not compared"),
    ("device", "a session may be COMPLETED with fewer cores than its target"),
    ("device", "a boot leaves its record, and the cycle that it found open has ended once"),
    ("host", "SESSION_CLOSE carries the counts of the journal's records"),
    ("should host", "after a lost link the journal is read before the next PUNCH"),
    ("device", "what was shown stands after a loss of power"),
    ("device", "a needle of a stroke that was begun counts as punctured where power was lost"),
    ("device", "a latched alarm stays until FAULT_RESET, also over a loss of power"),
    ("device", "a boot that found a cycle open raises a latched alarm, interlock 14"),
    ("device", "a boot that found a session open holds in SAFE"),
    ("device", "nothing is begun, E_STORAGE, where the memory has no room for it, and what is open can be ended"),
)

_MQTT: Final = (
    ("device", "what is said to one host goes to reply/{client}, QoS 1, not retained"),
    ("both", "a number of the header that is missing or null is 0"),
    ("both", "a key that is not known is passed over"),
    ("both", "a u64 is a text of decimal digits"),
    ("device", "a body that is no message is answered and does nothing"),
    ("host", "HELLO waits for a birth"),
    ("device", "the birth is retained, with another birth_no each time"),
    ("host", "the first heartbeat comes at once, QoS 1"),
    ("device", "the host's first heartbeat is answered by the device's, QoS 1"),
    ("host", "a command has Response Topic, Correlation Data and an expiry of at most 2 s"),
    ("device", "a command without Correlation Data is refused"),
    ("device", "a command without an expiry, or with one above 2 s, is refused"),
    ("device", "Correlation Data comes back as it was sent"),
    ("device", "a retained command is not carried out"),
)

_GROUPS: Final = {
    "FRM": _FRAMES,
    "PAY": _PAYLOADS,
    "LNK": _LINK,
    "LSE": _LEASE,
    "CMD": _COMMANDS,
    "CYC": _CYCLES,
    "EVT": _EVENTS,
    "MQT": _MQTT,
}

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {rule.id: rule for name, rows in _GROUPS.items() for rule in _group(name, rows)}
)
"""Number -> rule, in the order of the pages."""


def rules_of(end: Duty, level: Level | None = None) -> list[Rule]:
    """Return the rules that `end` has to keep, of `level` where one is given."""
    return [rule for rule in RULES.values() if rule.duty.is_of(end) and level in (None, rule.level)]
