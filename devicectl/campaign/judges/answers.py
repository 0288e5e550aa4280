"""Judge of requests and answers: no command is carried out twice, and an answer that is given again is the first one.

Numbers: a host's new command has a newer correlation id, and a frame that is sent again is the one sent before.
"""

from typing import Final

from devicectl.campaign.judges.frames import MOTIONS, Frame
from devicectl.campaign.judges.reading import ENDS, Found, Reading

Key = tuple[int, int]
_LATE: Final = "E_EXPIRED"
REMEMBERED: Final = 16
"""Answers to motions that a device keeps."""
_NOT_TAKEN: Final = (_LATE, "E_ARGUMENT")
"""Refusals of a frame that is no command any more: it came too late, or a broker had kept it."""
_TO_OTHERS: Final = {"Stop": "StopDone", "Hello": "Nak"}
"""Command of another host -> its answer, where that is no refusal. A HELLO is noted where it must not make a link."""


def judge(reading: Reading) -> Found:
    """Hold what each end sent against what it sent before under the same link and correlation id."""
    seen_on_the_wire = judge_commands(reading) + judge_answers(reading) + judge_links(reading)
    return seen_on_the_wire + judge_partings(reading) + judge_others(reading)


def judge_commands(reading: Reading) -> Found:
    """Hold each command against those that the host has sent before it on its link."""
    found: Found = []
    first: dict[Key, Frame] = {}
    newest: dict[int, int] = {}
    for said in reading.host_sent:
        frame, key = said.frame, (said.frame.link_id, said.frame.correlation_id)
        if not frame.command:
            continue
        if frame.retransmitted:
            before = first.get(key)
            if before is None and not reading.host_end:
                first[key] = frame  # the one before was lost on its way to the tap
            elif before is None or (before.name, before.seq, before.payload) != (frame.name, frame.seq, frame.payload):
                found.append((said.at_us, f"{frame.name} {key} is sent again, and was not sent before like that"))
        else:
            last = newest.get(frame.link_id)
            if last is not None and not _newer(frame.correlation_id, last):
                found.append((said.at_us, f"{frame.name} has correlation id {frame.correlation_id} after {last}"))
            newest[frame.link_id], first[key] = frame.correlation_id, frame
    return found


def judge_answers(reading: Reading) -> Found:
    """Hold each answer to a motion against what the device has heard and has answered before."""
    found: Found = []
    motions: set[Key] = set()
    late = _late(reading)
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
        before = last.get(key)
        refused = frame.name == "Refused" and frame.fields["code"] in _NOT_TAKEN
        if refused and frame.fields["code"] == _LATE and key in list(last)[-REMEMBERED:]:
            found.append((said.at_us, f"correlation {frame.correlation_id} was answered, and is refused as expired"))
        new_refusal = refused and not frame.replayed
        sentence = "" if new_refusal else _again_or_first(frame, before, outcomes, whole=reading.whole)
        if not frame.replayed and not refused and key in late and before is None:
            sentence = f"{frame.name} to correlation {frame.correlation_id}, which came after a newer motion"
        if sentence:
            found.append((said.at_us, sentence))
        if not refused:
            last[key] = frame
        if "cycle_no" in frame.fields:
            outcomes.setdefault((frame.name, frame.fields["cycle_no"]), frame)
    return found


def _late(reading: Reading) -> set[Key]:
    """Return the motions that a device has first heard when it had taken a newer one on their link."""
    late: set[Key] = set()
    heard: set[Key] = set()
    newest: dict[int, int] = {}
    for said in reading.device_heard:
        frame, key = said.frame, (said.frame.link_id, said.frame.correlation_id)
        if frame.name not in MOTIONS or key in heard:
            continue
        heard.add(key)
        last = newest.get(frame.link_id)
        if last is None or _newer(frame.correlation_id, last):
            newest[frame.link_id] = frame.correlation_id
        else:
            late.add(key)
    return late


def judge_links(reading: Reading) -> Found:
    """Find answers on a link that the device has not granted, or had lost with its power, and numbers of such links."""
    found: Found = []
    granted: set[int] = set()
    ever: set[int] = set()
    boots, place = reading.of("boot"), 0
    for said in reading.device_sent:
        while place < len(boots) and boots[place].place < said.place:
            granted.clear()
            place += 1
        frame = said.frame
        if frame.name == "Welcome":
            link_id = frame.fields["link_id"]
            if link_id in ever and link_id not in granted:
                found.append((said.at_us, f"link {link_id} is granted, and was another one's before"))
            granted.add(link_id)
            ever.add(link_id)
        elif _is_answer(frame) and frame.link_id not in granted:
            found.append((said.at_us, f"{frame.name} on link {frame.link_id}, which is none"))
    return found


def judge_partings(reading: Reading) -> Found:
    """Find a transport that took a link with it which its host had left before, with BYE."""
    found: Found = []
    byes = [said for said in reading.device_heard if said.frame.name == "Bye"]
    welcomes = [said for said in reading.device_sent if said.frame.name == "Welcome"]
    for noted in reading.of("detached"):
        granted = [said.frame.fields["link_id"] for said in welcomes if said.place < noted.place]
        if granted and any(said.place < noted.place and said.frame.link_id == granted[-1] for said in byes):
            found.append((noted.at_us, f"link {granted[-1]} was still there after BYE"))
    return found


def judge_others(reading: Reading) -> Found:
    """Hold what other hosts were answered against what they may: STOP, and nothing else that they ask for."""
    found: Found = []
    for noted in reading.of("other_host"):
        asked, answer = noted.event["asked"], noted.event["answer"]
        if answer != _TO_OTHERS.get(asked, "Refused"):
            found.append((noted.at_us, f"another host's {asked} was answered with {answer}"))
    return found


def _is_answer(frame: Frame) -> bool:
    return frame.name == "Received" or frame.name in ENDS or frame.name.endswith("Done")


def _first(frame: Frame, before: Frame | None) -> str:
    """Judge an answer that says that something was done."""
    if before is not None and (before.name != "Received" or frame.name == "Received"):
        return f"correlation {frame.correlation_id} was carried out twice: {before.name}, then {frame.name}"
    return ""


def _again_or_first(frame: Frame, before: Frame | None, outcomes: dict[tuple[str, int], Frame], *, whole: bool) -> str:
    """Judge an answer, as it says itself that it is given again or not."""
    return _replay(frame, before, outcomes, whole=whole) if frame.replayed else _first(frame, before)


def _replay(frame: Frame, before: Frame | None, outcomes: dict[tuple[str, int], Frame], *, whole: bool) -> str:
    """Judge an answer that is given again; its first one is there where the recording is `whole`."""
    if before is not None:
        if (before.name, before.payload) == (frame.name, frame.payload) or before.name == "Received" != frame.name:
            return ""
        return f"{frame.name} of correlation {frame.correlation_id} is not the answer that was given first"
    fields = frame.fields
    first = outcomes.get((frame.name, fields.get("cycle_no", 0)))
    if frame.name == "CountDone" and (whole if first is None else first.fields != fields):
        return f"COUNT of cycle {fields['cycle_no']} has another outcome than at first"
    if frame.name == "PunchDone" and first is not None and first.fields != fields:
        return f"PUNCH of cycle {fields['cycle_no']} has another outcome than at first"
    return ""


def _newer(candidate: int, reference: int) -> bool:
    return 0 < (candidate - reference & 0xFFFF) < 0x8000
