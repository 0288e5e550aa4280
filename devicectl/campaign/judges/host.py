"""Judge of the host: it uses a cycle number once, and sends a command again neither too early nor too late.

What a heartbeat shows to be over is asked for at once: its last answer was lost.
"""

from typing import Final

from devicectl.campaign.judges.frames import Frame
from devicectl.campaign.judges.reading import ENDS, Found, Reading, Said

MIN_RETRY_US: Final = 60_000
"""docs/protocol.md: the least time to wait for an answer."""
_NAMES_CYCLE: Final = ("Welcome", "Heartbeat", "PunchDone", "CountDone")
"""Messages that show the number of the cycle which was begun last."""

_ENDS: Final = (*ENDS, "JournalPage", "Nak")


def judge(reading: Reading) -> Found:
    """Hold what the host sends against what it has sent and heard before."""
    return judge_cycle_numbers(reading) + judge_repetitions(reading)


def judge_cycle_numbers(reading: Reading) -> Found:
    """Find a new PUNCH with a number that the device has shown to be used."""
    shown = [said for said in reading.device_sent if said.frame.name in _NAMES_CYCLE]
    found: Found = []
    place, used = 0, 0
    for said in reading.host_sent:
        if said.frame.name != "Punch" or said.frame.retransmitted:
            continue
        while place < len(shown) and shown[place].place < said.place:
            place, used = place + 1, max(used, shown[place].frame.fields["cycle_no"])
        if (number := said.frame.fields["cycle_no"]) <= used:
            found.append((said.at_us, f"PUNCH of cycle {number}, after {used} was shown to be used"))
    return found


class _Asked:
    """A command that has no end yet. `over_us` is when a heartbeat has shown it to be over, None before that."""

    def __init__(self, at_us: int) -> None:
        self.sent_us = at_us
        self.received = False
        self.over_us: int | None = None


def judge_repetitions(reading: Reading) -> Found:
    """Follow each command from its sending to its end."""
    found: Found = []
    if not any(said.frame.retransmitted for said in reading.host_sent):
        return found
    asked: dict[tuple[int, int], _Asked] = {}
    sent = [(said, True) for said in reading.host_sent if said.frame.command]
    for said, is_sent in sorted([*sent, *((one, False) for one in reading.host_heard)], key=lambda one: one[0].place):
        frame = said.frame
        key = (frame.link_id, frame.correlation_id)
        if not is_sent:
            _hear(asked, key, said)
        elif not frame.retransmitted:
            asked[key] = _Asked(said.at_us)
        elif (command := asked.get(key)) is not None:
            if sentence := _again(command, frame, said.at_us):
                found.append((said.at_us, sentence))
            command.sent_us, command.received, command.over_us = said.at_us, False, None
    return found


def _again(command: _Asked, frame: Frame, at_us: int) -> str:
    """Judge a command that is sent again; once it was received, a heartbeat says when."""
    since_ms = (at_us - command.sent_us) // 1000
    if not command.received and at_us < command.sent_us + MIN_RETRY_US:
        return f"{frame.name} was sent again after {since_ms} ms, while no answer can be missing yet"
    if command.over_us is not None and at_us > command.over_us:
        late_ms = (at_us - command.over_us) // 1000
        return f"{frame.name} was asked for {late_ms} ms after a heartbeat had shown that it is over"
    return ""


def _hear(asked: dict[tuple[int, int], _Asked], key: tuple[int, int], said: Said) -> None:
    frame = said.frame
    command = asked.get(key)
    if frame.name == "Heartbeat":
        for (link_id, correlation_id), one in asked.items():
            running = correlation_id == frame.fields["running_correlation_id"]
            if link_id == frame.link_id and one.received and one.over_us is None and not running:
                one.over_us = said.at_us
    elif command is not None and frame.name in ("Received", "Progress"):
        command.received, command.over_us = True, None
    elif command is not None and (frame.name in _ENDS or frame.name.endswith("Done")):
        del asked[key]
