"""All of a device that bad input must not change, for the tests of either wire.

Law: it is read from memory, plant and alarms themselves, not from what the device says of them.
"""

from typing import Any

from firmware_sim.device import Device, Port
from firmware_sim.memory.image import snapshot
from protocols.language.enums import RecordKind


def state_of(device: Device, port: Port) -> dict[str, Any]:
    """The device and the link of its controller at `port`; the journal without its refusals. What changes in place is
    held as it reads now.
    """
    image = snapshot(device.nvm)
    del image["journal"], image["link_count"]
    board = device.board
    return {
        "memory": image,
        "journal": [raw[4:] for raw in journal_of(device) if raw[8] != RecordKind.REFUSAL],
        "tail": device.nvm.tail,
        "state": board.state,
        "motion": board.motion,
        "zones": repr(board.zones),
        "cell": board.cell,
        "alarms": repr(board.alarms.listing()),
        "parameters": device.parameters.hash,
        "truth": repr(device.plant.truth),
        "controller": device.control.holder,
        "link": port.exchange.link_id,
        "role": port.role,
    }


def refusals_of(device: Device) -> int:
    """REFUSAL records in the journal."""
    return sum(raw[8] == RecordKind.REFUSAL for raw in journal_of(device))


def journal_of(device: Device) -> list[bytes]:
    """Its records, oldest first."""
    _, _, held = device.nvm.journal.snapshot()
    raw = bytes.fromhex(held)
    return [raw[at : at + 32] for at in range(0, len(raw), 32)]
