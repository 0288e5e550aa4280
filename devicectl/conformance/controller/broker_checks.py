"""Judges of what a command does behind a broker: its properties of MQTT 5, its wait for a birth, its first heartbeat.

Law: pure functions of a tape. Each passes, or raises the difference between what a rule expects and what was said.
"""

import json
from typing import Final

from devicectl.conformance.controller.checks import NotShown
from devicectl.conformance.controller.reactions import closed_well
from devicectl.conformance.controller.scene import Run
from devicectl.conformance.controller.tape import Said
from devicectl.conformance.device.probe import BrokenRule
from protocols.language import messages as M
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.mqtt.bodies import WIDE
from protocols.mqtt.wire import MAX_COMMAND_EXPIRY_S, Publication

AT_ONCE_MS: Final = 500
"""Milliseconds from WELCOME to the first heartbeat: a host waits as long for the one of the device."""


def _carried(said: Said) -> Publication:
    assert said.publication is not None, "all that is said behind a broker was published"
    return said.publication


def _broken(said: Said, what: str, expected: str, found: object) -> BrokenRule:
    return BrokenRule(f"{what} of {said.name} at {said.at / SECOND:.3f} s", expected, str(found))


def commands_have_properties(run: Run) -> None:
    """Each command, and HELLO, has Response Topic, Correlation Data and an expiry of two seconds at most."""
    asked = [one for one in run.tape.said if one.by_host and (one.is_command or isinstance(one.message, M.Hello))]
    if not asked:
        raise NotShown(f"it never asked anything; {run.told}")
    for one in asked:
        carried = _carried(one)
        if not carried.response_topic or carried.response_topic.rpartition("/")[0].rpartition("/")[2] != "reply":
            raise _broken(one, "Response Topic", "reply/{client}", carried.response_topic or "none")
        if carried.correlation_data is None:
            raise _broken(one, "Correlation Data", "some", "none")
        if carried.expiry_s is None or carried.expiry_s > MAX_COMMAND_EXPIRY_S:
            found = "none" if carried.expiry_s is None else f"{carried.expiry_s} s"
            raise _broken(one, "Message Expiry Interval", f"{MAX_COMMAND_EXPIRY_S} s at most", found)


def beats_at_once(run: Run) -> None:
    """The first thing on a link is a heartbeat, at once and at QoS 1."""
    granted: dict[tuple[int, int], Micros] = {}
    beaten = False
    for one in run.tape.said:
        if not one.by_host:
            if isinstance(one.message, M.Welcome):
                granted[one.line, one.message.link_id] = one.at
            continue
        since = granted.pop((one.line, one.header.link_id), None)
        if since is None:
            continue
        beaten = True
        if not isinstance(one.message, M.HostHeartbeat):
            raise BrokenRule(f"the first message of a link at {one.at / SECOND:.3f} s", "HostHeartbeat", one.name)
        if _carried(one).qos != 1:
            raise _broken(one, "QoS", "1, for the first of a link", _carried(one).qos)
        if one.at - since > AT_ONCE_MS * MILLISECOND:
            late = f"{(one.at - since) / MILLISECOND:.0f} ms behind WELCOME"
            raise _broken(one, "time", f"{AT_ONCE_MS} ms behind WELCOME at most", late)
    if not beaten:
        raise NotShown(f"it said nothing on a link; {run.told}")


def wide_numbers_are_texts(run: Run) -> None:
    """Each u64 is a text of decimal digits."""
    seen = False
    for one in run.tape.said:
        if not one.by_host or one.message is None:
            continue
        payload = json.loads(_carried(one).body).get("payload") or {}
        for name, field in type(one.message).FIELDS.items():
            if field.wire.code != WIDE or payload.get(name) is None:
                continue
            seen = True
            if not (isinstance(payload[name], str) and payload[name].isascii() and payload[name].isdigit()):
                raise _broken(one, name, "a text of decimal digits", json.dumps(payload[name]))
    if not seen:
        raise NotShown(f"it sent no u64; {run.told}")


def greets_nobody(run: Run) -> None:
    """Nothing is published while no birth has come."""
    for one in run.tape.said:
        if one.by_host:
            raise BrokenRule("a device without a birth", "no HELLO, and nothing else", one.name)


def taken_as_usual(run: Run) -> None:
    """Bodies that came in another form are taken: no NAK, and a session that is closed."""
    for one, nak in run.tape.by_host(M.Nak):
        raise BrokenRule(f"the answer at {one.at / SECOND:.3f} s", "no NAK", f"NAK {nak.code.name}, {nak.sentence}")
    closed_well(run)
