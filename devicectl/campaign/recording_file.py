"""A trial as one file that repeats it: pcapng, with the scenario, versions and verdict in the section's comment.

    sim       the device's port: what it heard and what it sent
    host      the host's end of the same wire: what it sent and what it heard, which faults may make something else
    events    what is on no wire: faults, commits, strokes, and the end of each host

Law: the file is complete. Replaying it needs nothing but this program in the same version.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from devicectl.campaign.recording import DEVICE_HEARD, DEVICE_SENT, EVENT, HOST_HEARD, HOST_SENT, PROGRAM, Recorded
from devicectl.campaign.scenario import Scenario
from devicectl.campaign.verdict import Verdict
from handpiece_shell.recording_file import versions
from protocols.capture.blocks import encode_capture, encode_json, section_block
from protocols.capture.contents import encode_data
from protocols.capture.packet import EVENTS, FROM_DEVICE, MAX_COMMENT_BYTES, NO_DIRECTION, TO_DEVICE, Packet
from protocols.capture.seal import Seal
from protocols.text.notice import NOTICE

INTERFACES: Final = ("sim", "host", EVENTS)
_PLACES: Final[Mapping[str, tuple[int, int]]] = {
    DEVICE_HEARD: (0, TO_DEVICE),
    DEVICE_SENT: (0, FROM_DEVICE),
    HOST_SENT: (1, TO_DEVICE),
    HOST_HEARD: (1, FROM_DEVICE),
    EVENT: (2, NO_DIRECTION),
}
"""Place of recording -> interface and direction in the file."""
MAX_SENTENCE: Final = 400
"""Characters of a breach in the comment, which has room for 64 KiB in all."""
MAX_BREACHES: Final = 20
MAX_FIRED: Final = 100
"""Faults that have fired in the comment; the events have all."""
ROOM_BYTES: Final = MAX_COMMENT_BYTES // 2
"""Bytes of the comment that are left for what a run comes to."""


def packets(recording: Sequence[Recorded]) -> Iterator[Packet]:
    """Give each packet of a run as it is in the file."""
    for at_us, where, data in recording:
        interface, direction = _PLACES[where]
        yield Packet(at_us, interface, direction, encode_json(data) if isinstance(data, dict) else encode_data(data))


def comment(scenario: Scenario, verdict: Verdict) -> dict[str, object]:
    """Return what the section's comment has."""
    return {
        "notice": NOTICE,
        "program": PROGRAM,
        "versions": versions(),
        "scenario": scenario.as_data(),
        "seed": scenario.seed,
        "faults": [fired._asdict() for fired in verdict.fired[:MAX_FIRED]],
        "verdict": {
            "word": verdict.word,
            "ending": verdict.ending[:MAX_SENTENCE],
            "stuck": verdict.stuck[:MAX_SENTENCE],
            "breaches": [
                {"judge": breach.judge, "at_us": breach.at_us, "sentence": breach.sentence[:MAX_SENTENCE]}
                for breach in verdict.breaches[:MAX_BREACHES]
            ],
            "unfired": verdict.unfired,
        },
    }


def require_room(scenario: Scenario) -> None:
    """See that the comment of a scenario's trial will have room for all that the trial may come to.

    Raises:
        CaptureError: it has too many faults.
    """
    section_block(comment(scenario, Verdict(scenario.seed)), MAX_COMMENT_BYTES - ROOM_BYTES)


def encode_trial(scenario: Scenario, verdict: Verdict, recording: Sequence[Recorded]) -> bytes:
    """Return the whole file of a trial that has its verdict.

    Raises:
        CaptureError: there are more faults than the comment has room for.
    """
    seal, written = Seal(), list(packets(recording))
    for packet in written:
        seal.add(INTERFACES[packet.interface], packet)
    return encode_capture(seal.close(comment(scenario, verdict)), INTERFACES, written)
