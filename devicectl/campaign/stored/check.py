"""The check of a stored capture: which judges could judge it, what they found, and what kept the others from it.

Law: a capture is judged as far as it goes. What was cut short or edited is judged without the events, which only a
whole recording of a campaign has.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from devicectl.campaign.judges.reading import Reading
from devicectl.campaign.recording import PROGRAM
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.stored.parts import PARTS, Need
from devicectl.campaign.stored.sorting import OF_DEVICE, Sorter
from devicectl.campaign.stored.stretches import as_recorded, divide
from devicectl.campaign.verdict import Breach
from devicectl.errors import DevicectlError
from protocols.capture.packet import Capture, CaptureError, JsonObject

MESSAGES: Final = "messages"
"""Name of the judge of payloads: a frame with a right checksum has what its message allows."""
_HOSTS: Final = "devicectl"
"""Program of a session's recording at the host's end."""
_VIRTUAL: Final = ("sim:", "spy+sim:")
"""Beginnings of the URL of a device in virtual time, in which a host and its tap are at one time."""
_ODD_EVENTS: Final = "an event has not what this judge reads"
_NOT_OURS: Final = (AttributeError, KeyError, TypeError, ValueError)


@dataclass(slots=True)
class Judged:
    """Outcome of one judge: the rules that it could judge, and those that were skipped, each with its reason."""

    name: str
    rules: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    breaches: int = 0

    @property
    def state(self) -> str:
        """Return "judged", "in part" or "skipped"."""
        if not self.rules:
            return "skipped"
        return "in part" if self.skipped else "judged"


@dataclass(slots=True)
class Checked:
    """A check. `cut` says why the capture is not whole, "" where it is; `counts` what was met and left out."""

    program: str
    packets: int
    duration_us: int
    cut: str
    judges: list[Judged]
    breaches: list[Breach]
    counts: Counter[str]


class NothingToJudgeError(DevicectlError):
    """A capture in which no message was found that can be judged; its text is one line."""

    exit_code = 2


def check(capture: Capture) -> Checked:
    """Judge a capture, from whomever it comes.

    Raises:
        CaptureError: it begins as none, such as with an interface of another link type.
        NothingToJudgeError: there is no message in it.
    """
    program = str(capture.comment.get("program", ""))
    sorter, packets, times = Sorter(program), 0, (0, 0)
    cut = ""
    try:
        for packet in capture.packets:
            sorter.take(capture.interfaces[packet.interface], packet)
            times = (times[0] if packets else packet.at_us, packet.at_us)
            packets += 1
    except CaptureError as error:
        if not packets:
            raise
        cut = str(error)
    trial = _scenario(capture.comment) if program == PROGRAM and not cut else None
    judged = _Bench(Judged(MESSAGES, rules=["payloads of right frames"]))
    judged.found(judged.judges[MESSAGES], sorter.sorted.breaches)
    left_out = 0
    for pieces in sorter.sorted.wires.values():
        if trial is not None:
            recording = [one for piece in pieces for one in as_recorded(piece)]
            judged.take(Reading(recording, trial.parameters), {Need.WHOLE, Need.HOST_CLOCK, Need.EVENTS})
            continue
        stretches = divide([piece for piece in pieces if not isinstance(piece.data, dict)])
        left_out += stretches.left_out
        whole = program == OF_DEVICE and sorter.sorted.fresh and not cut and not stretches.left_out
        given = {need for need, met in ((Need.WHOLE, whole), (Need.HOST_CLOCK, _in_virtual_time(capture))) if met}
        for recording in stretches.recordings:
            judged.take(Reading(recording, whole=whole, host_end=program == _HOSTS), given)
    counts = sorter.sorted.counts
    if left_out:
        counts["frames of links from before the capture"] = left_out
    if not judged.met and not judged.breaches:
        raise NothingToJudgeError(f"no message that can be judged in {packets} packets{_why(counts)}")
    breaches = sorted(judged.breaches, key=lambda breach: breach.at_us)
    return Checked(program, packets, times[1] - times[0], cut, list(judged.judges.values()), breaches, counts)


class _Bench:
    """All judges over all stretches of a capture."""

    def __init__(self, messages: Judged) -> None:
        self.judges = {messages.name: messages, **{part.judge: Judged(part.judge) for part in PARTS}}
        self.breaches: list[Breach] = []
        self.met = False
        """True once there was something that an end has sent."""

    def take(self, reading: Reading, given: Iterable[Need]) -> None:
        """Judge one stretch, of which `given` is known beside who speaks in it."""
        sides = ((Need.HOST, reading.host_sent), (Need.DEVICE, reading.device_sent))
        there = {*given, *(need for need, said in sides if said)}
        if not there & {Need.HOST, Need.DEVICE}:
            return
        self.met = True
        for part in PARTS:
            judge = self.judges[part.judge]
            missing = next((need for need in Need if need in part.needs - there), None)
            if missing is not None:
                judge.skipped[part.about] = missing.value
                continue
            try:
                found = part.find(reading)
            except _NOT_OURS:
                if Need.EVENTS not in there:
                    raise
                judge.skipped[part.about] = _ODD_EVENTS
                continue
            if part.about not in judge.rules:
                judge.rules.append(part.about)
            self.found(judge, found)

    def found(self, judge: Judged, found: Iterable[tuple[int, str]]) -> None:
        """Take in breaches of one judge."""
        for breach in found:
            self.breaches.append(Breach(judge.name, *breach))
            judge.breaches += 1


def _scenario(comment: JsonObject) -> Scenario | None:
    """Return the scenario of a trial; None where there is none of ours, and so no event can be trusted."""
    try:
        return Scenario.of_data(comment["scenario"])
    except _NOT_OURS:
        return None


def _in_virtual_time(capture: Capture) -> bool:
    comment = capture.comment
    return comment.get("program") == _HOSTS and str(comment.get("device")).startswith(_VIRTUAL)


def _why(counts: Mapping[str, int]) -> str:
    said = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    return f": {said}" if said else ""
