"""Faults of a served device, but for what only its transports can do: the same in the service and in its replay.

Law: no I/O and no clock.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from firmware_sim.device import Device
from firmware_sim.faults.acts import UL_PER_ML
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.fault import Fault
from firmware_sim.faults.injected import InjectedFaults
from firmware_sim.faults.injector import End, Firing, Noted
from firmware_sim.faults.kind import Kind, Target
from firmware_sim.faults.wire import WireFaults
from protocols.language.units import Micros

BROKER_KINDS: Final = ("broker_frozen", "publish_doubled", "publish_reordered")
"""Faults of a broker that a device can make up for all that it publishes and receives."""


class Cut(Protocol):
    """Breaker of the transports."""

    def __call__(self, *, host_knows: bool, device_knows: bool) -> End:
        """Break them, of which an end knows or not, and return what mends them."""


def let_in(
    device: Device,
    now: Micros,
    faults: Sequence[Fault],
    *,
    cut: Cut,
    noted: Noted,
    behind_broker: bool,
    in_file: bool,
) -> tuple[InjectedFaults, WireFaults]:
    """Let faults into a device: those that are declared, and later others that it can have."""
    injected = InjectedFaults(device, now, faults, noted, in_file=in_file)
    wire = WireFaults(injected.injector)
    acts = injected.injector.acts

    def disconnect(firing: Firing, now: Micros) -> End:
        return cut(host_knows=True, device_knows=True)

    def half_open(firing: Firing, now: Micros) -> End:
        unaware = firing.fault.word("unaware")
        return cut(host_knows=unaware != "host", device_knows=unaware != "device")

    acts.update(disconnect=disconnect, half_open=half_open)
    for name in [name for name in acts if unable(CATALOGUE[name], behind_broker=behind_broker, in_file=in_file)]:
        del acts[name]
    return injected, wire


def fit(device: Device, cartridge_cycles: int, canister_ml: float) -> None:
    """Give a device the consumables with which a scenario begins."""
    if cartridge_cycles:
        device.plant.cartridge.cycles = cartridge_cycles
    if canister_ml:
        device.plant.canister.volume_ul = canister_ml * UL_PER_ML


def note_of(firing: Firing) -> dict[str, object]:
    """Return what a recording tells of a fault that has fired, or ended."""
    return {"fault": firing.index, "kind": firing.fault.kind.name}


def unable(kind: Kind, *, behind_broker: bool, in_file: bool) -> str:
    """Return why a served device cannot have such a fault, and what can; "" where it can.

    `behind_broker` tells that it is reached by MQTT, `in_file` that its memory is kept in a file.
    """
    of_broker = kind.target is Target.BROKER
    reasons = (
        (behind_broker and kind.bytes_only, "a broker changes no byte; serve with --tcp or --pty"),
        (
            behind_broker and kind.name == "half_open",
            "a broker is connected to both ends and knows; mute and disconnect are near it",
        ),
        (
            in_file and kind.target is Target.MEMORY,
            "it would spoil the file of --nvm; leave that out, and the memory is one that may fail",
        ),
        (kind.target is Target.HOST, "it is the host's own; `devicectl run --scenario` has it for its own host"),
        (of_broker and not behind_broker, "there is no broker; serve with --mqtt"),
        (
            of_broker and kind.name not in BROKER_KINDS,
            "it is the broker's own; do it to your broker, or use `devicectl run --scenario`, which has one",
        ),
    )
    return next((reason for applies, reason in reasons if applies), "")
