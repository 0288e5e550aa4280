"""Judge of requests and answers: no command is carried out twice, and an answer that is given again is the first one.

Numbers: a host's new command has a newer correlation id, and a frame that is sent again is the one sent before.
"""

from typing import Final

from devicectl.campaign.judges.frames import MOTIONS, Frame
from devicectl.campaign.judges.ledgers import Ledgers
from devicectl.campaign.judges.reading import Reading

Found = list[tuple[int, str]]
Key = tuple[int, int]
_ENDS: Final = ("Refused", "Failed", "Aborted")
_NOT_TAKEN: Final = ("E_EXPIRED", "E_ARGUMENT")
"""Refusals of a frame that is no command any more: it came too late, or a broker had kept it."""
MAX_TRIES: Final = 5


def judge(reading: Reading, ledgers: Ledgers) -> Found:
    """Hold what each end sent against what it sent before under the same link and correlation id."""
    return _commands(reading) + _answers(reading)


def _commands(reading: Reading) -> Found:
    found: Found = []
    first: dict[Key, Frame] = {}
    newest: dict[int, int] = {}
    for said in reading.host_sent:
        frame, key = said.frame, (said.frame.link_id, said.frame.correlation_id)
        if not frame.command:
            continue
        if frame.retransmitted:
            before = first.get(key)
            if before is None or (before.name, before.seq, before.payload) != (frame.name, frame.seq, frame.payload):
                found.append((said.at_us, f"{frame.name} {key} is sent again, and was not sent before like that"))
        else:
            last = newest.get(frame.link_id)
            if last is not None and not _newer(frame.correlation_id, last):
                found.append((said.at_us, f"{frame.name} has correlation id {frame.correlation_id} after {last}"))
            newest[frame.link_id], first[key] = frame.correlation_id, frame
    return found


def _answers(reading: Reading) -> Found:
    found: Found = []
    motions: set[Key] = set()
    last: dict[Key, Frame] = {}
    outcomes: dict[tuple[str, int], Frame] = {}
    asked, place = reading.device_heard, 0
    for said in reading.device_sent:
        while place < len(asked) and asked[place].place < said.place:
            command, place = asked[place].frame, place + 1
            if command.name in MOTIONS:
                motions.add((command.link_id, command.correlation_id))
        frame, key = said.frame, (said.frame.link_id, said.frame.correlation_id)
        if not frame.correlation_id or key not in motions or not _is_answer(frame):
            continue
        sentence = _replay(frame, last.get(key), outcomes) if frame.replayed else _first(frame, last.get(key))
        if sentence:
            found.append((said.at_us, sentence))
        if not (frame.name == "Refused" and frame.fields["code"] in _NOT_TAKEN):
            last[key] = frame
        if "cycle_no" in frame.fields:
            outcomes.setdefault((frame.name, frame.fields["cycle_no"]), frame)
    return found


def _is_answer(frame: Frame) -> bool:
    return frame.name == "Received" or frame.name in _ENDS or frame.name.endswith("Done")


def _first(frame: Frame, before: Frame | None) -> str:
    """Judge an answer that says that something was done."""
    if frame.name == "Refused" and frame.fields["code"] in _NOT_TAKEN:
        return ""
    if before is not None and (before.name != "Received" or frame.name == "Received"):
        return f"correlation {frame.correlation_id} was carried out twice: {before.name}, then {frame.name}"
    return ""


def _replay(frame: Frame, before: Frame | None, outcomes: dict[tuple[str, int], Frame]) -> str:
    """Judge an answer that is given again."""
    if before is not None:
        if (before.name, before.payload) == (frame.name, frame.payload) or before.name == "Received" != frame.name:
            return ""
        return f"{frame.name} of correlation {frame.correlation_id} is not the answer that was given first"
    fields = frame.fields
    first = outcomes.get((frame.name, fields.get("cycle_no", 0)))
    if frame.name == "CountDone" and (first is None or first.fields != fields):
        return f"COUNT of cycle {fields['cycle_no']} has another outcome than at first"
    if frame.name == "PunchDone" and first is not None and first.fields != fields:
        return f"PUNCH of cycle {fields['cycle_no']} has another outcome than at first"
    return ""


def _newer(candidate: int, reference: int) -> bool:
    return 0 < (candidate - reference & 0xFFFF) < 0x8000
