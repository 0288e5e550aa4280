"""A case as one pcapng file: what went over each link, in both directions, and the verdict in its comment."""

from collections.abc import Mapping, Sequence

from devicectl.conformance.device.probe import Sent
from devicectl.conformance.outcome import Outcome
from protocols.capture.blocks import encode_capture
from protocols.capture.contents import encode_data
from protocols.capture.packet import FROM_DEVICE, TO_DEVICE, Packet
from protocols.capture.seal import Seal
from protocols.text.notice import NOTICE


def encode_case(outcome: Outcome, pieces: Sequence[Sent], versions: Mapping[str, object]) -> bytes:
    """Return the file of a case; each link is an interface."""
    links = sorted({piece.channel for piece in pieces} | {0})
    interfaces = [f"link {link}" for link in links]
    seal, packets = Seal(), []
    for piece in pieces:
        interface = links.index(piece.channel)
        direction = TO_DEVICE if piece.by_host else FROM_DEVICE
        packet = Packet(piece.at, interface, direction, encode_data(piece.piece))
        seal.add(interfaces[interface], packet)
        packets.append(packet)
    comment = {
        "notice": NOTICE,
        "program": "devicectl conform",
        "versions": dict(versions),
        "scenario": None,
        "seed": None,
        "faults": [],
        "case": outcome.case.id,
        "rules": list(outcome.case.rules),
        "word": str(outcome.word),
        "reason": outcome.reason[:400],
    }
    return encode_capture(seal.close(comment), interfaces, packets)
