"""Replay: a recording is executed again, and every packet held against what comes of it.

Law: same version, same packets. The first that differs is the answer; what comes after it follows from it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from devicectl.campaign.recording_file import INTERFACES, packets, versions
from devicectl.campaign.scenario import MQTT, Scenario
from devicectl.campaign.trial import Trial
from devicectl.errors import DevicectlError
from protocols.capture.contents import decode_publication_of
from protocols.capture.packet import EVENTS, TO_DEVICE, Capture, CaptureError, Packet
from protocols.language.units import SECOND, Micros
from protocols.mqtt.wire import Publication
from protocols.trace import Tracer


class ReplayError(DevicectlError):
    """A recording that cannot be replayed; its text is one line."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """The first packet that differs: its number from 1, and both in words; "" where there is none."""

    number: int
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay: how many packets were equal, and the first that was not."""

    packets: int
    verdict: str
    difference: Difference | None


def replay(capture: Capture) -> Replayed:
    """Execute a recording of a trial again.

    Raises:
        ReplayError: it is of another version, is no recording of a trial, or never came to its end.
        CaptureError: it does not go on as a recording.
    """
    scenario = _scenario(capture.comment)
    trial = Trial(scenario)
    verdict = asyncio.run(trial.run())
    number = 0
    for recorded, produced in zip_longest(capture.packets, packets(trial.recording)):
        number += 1
        if recorded != produced:
            return Replayed(number - 1, verdict.word, _difference(number, scenario, recorded, produced))
    _hold_verdict(capture.comment, verdict.word)
    return Replayed(number, verdict.word, None)


def _scenario(comment: Mapping[str, Any]) -> Scenario:
    mine = versions()
    if comment.get("versions") != mine:
        theirs = comment.get("versions")
        made_by = ", ".join(f"{name} {one}" for name, one in theirs.items()) if isinstance(theirs, dict) else "nobody"
        raise ReplayError(f"it was made by {made_by}; this is devicectl {mine['devicectl']}, {mine['protocol']}")
    if not isinstance(comment.get("verdict"), dict):
        raise ReplayError("it has no verdict: what made it was ended before its run was over")
    try:
        return Scenario.of_data(comment["scenario"])
    except KeyError:
        raise ReplayError("it is no recording of a scenario, and so nothing says what to execute") from None
    except ValueError as error:
        raise ReplayError(f"its scenario cannot be taken: {error}") from error


def _hold_verdict(comment: Mapping[str, Any], word: str) -> None:
    said = comment["verdict"].get("word")
    if said != word:
        raise ReplayError(f"its packets are those of a run that is {word}, and it says {said!r}: it was edited")


def _difference(number: int, scenario: Scenario, recorded: Packet | None, produced: Packet | None) -> Difference:
    return Difference(number, _describe(recorded, scenario), _describe(produced, scenario))


def _describe(packet: Packet | None, scenario: Scenario) -> str:
    """Return a packet in words: a frame decoded as in a trace, an event as JSON."""
    if packet is None:
        return ""
    name = INTERFACES[packet.interface] if packet.interface < len(INTERFACES) else f"interface {packet.interface}"
    if name == EVENTS:
        return f"{packet.at_us / SECOND:12.6f} s {name}  {packet.data.decode(errors='replace')}"
    sender = "host" if packet.direction == TO_DEVICE else "device"
    return "\n".join(
        f"{name}: {line}" for line in Tracer().describe(sender, _data(packet, scenario), Micros(packet.at_us))
    )


def _data(packet: Packet, scenario: Scenario) -> bytes | Publication:
    if scenario.wire != MQTT:
        return packet.data
    try:
        return decode_publication_of(packet)
    except CaptureError:
        return packet.data
