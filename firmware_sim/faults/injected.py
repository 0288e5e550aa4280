"""Faults in a device that runs: the injector, and what power, plant and memory do by it.

How it works: a device with `injected` hands it the time in its own calls, and asks it for its deadlines. So faults of
the device work in every world that has devices, in virtual and in real time; those of the wire need someone who carries
pieces through `WireFaults` and registers it.

    device.receive(...)          a PUNCH opens cycle 3; `look` finds that a trigger holds: a brown-out begins
    device.next_deadline()       now
    device.advance(now)          the power goes, when nothing else is being done to the device, and its answer is sent
    device.next_deadline()       500 ms later
    device.advance(now)          it boots

Law: no I/O and no clock. An act that changes the device is put off until `advance`.
"""

from collections.abc import Callable, Sequence
from typing import Final

from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError, PowerLostError
from firmware_sim.faults.acts import DeviceFaults, DeviceView
from firmware_sim.faults.commands import COMMANDS
from firmware_sim.faults.fault import Fault, FaultError, missing_needle
from firmware_sim.faults.injector import Act, End, Firing, Injector, Noted, ignore
from firmware_sim.faults.power import Power
from firmware_sim.faults.store import FaultyStore
from firmware_sim.faults.trigger import Moment, Trigger, leaves
from protocols.language.message import Message
from protocols.language.units import SECOND, Micros

RESTART_US: Final = 1 * SECOND
"""Time until a device whose memory has failed is started again, as by systemd."""
_ENDED: Final = "the device's process has ended"


def never_happens(when: Trigger, *, in_file: bool) -> str:
    """Return why a trigger names a moment that no device without its host can meet; "" where it names none."""
    events = {leaf.event for leaf in leaves(when) if isinstance(leaf, Moment)}
    if "commit" in events:
        return "commit never happens here: a log is the host's; `devicectl run --scenario` has it for its own host"
    if in_file and "write" in events:
        return "write is counted only where the memory is in RAM; leave out --nvm"
    return ""


class InjectedFaults:
    """Faults of one device, declared at its start or later. Made, it is the device's `injected`.

    With `in_file` the device's memory is kept in a file, and cannot fail; `noted` hears what fires and ends.
    """

    def __init__(
        self, device: Device, now: Micros, faults: Sequence[Fault] = (), noted: Noted = ignore, *, in_file: bool
    ) -> None:
        self.device = device
        self.injector = Injector(faults, device.seed, DeviceView(device), noted, began_at=now)
        self._put_off: list[Callable[[Micros], None]] = []
        self._power = Power(off=device.power_off, lose=self._lose, boot=self._boot)
        self._restart_at: Micros | None = None
        DeviceFaults(device, self.injector, power=self._power, changed=device.inputs_changed)
        self.injector.acts = {name: self.put_off(act) for name, act in self.injector.acts.items()}
        self.store: FaultyStore | None = None
        """Memory that can fail; None where it is in a file."""
        if not in_file:
            self.store = FaultyStore(self.injector, device.seed)
            self.store.take_over(device.nvm)
        device.injected = self

    def add(self, fault: Fault, now: Micros) -> Firing:
        """Declare one more fault, whose times and numbers count from now on.

        Raises:
            FaultError: nobody here does what such a fault is.
        """
        self.require(fault)
        return self.injector.add(fault, now)

    def require(self, fault: Fault) -> None:
        """See that a fault of this kind has an effect here.

        Raises:
            FaultError: it has none.
        """
        if fault.kind.name not in self.injector.acts:
            target = fault.kind.target.value
            reason = f"a {fault.kind.name} acts on the {target}, and nothing here does that to the {target}"
            raise FaultError("fault", reason)
        reason = never_happens(fault.when, in_file=self.store is None)
        if reason:
            raise FaultError("when", reason)
        reason = missing_needle(fault, self.device.parameters.needles)
        if reason:
            raise FaultError("needle", f"needle {reason}")

    def put_off(self, act: Act) -> Act:
        """Return an act that is done when nothing else is being done to the device."""

        def later(firing: Firing, now: Micros) -> End:
            ends: list[End] = []

            def begin(now: Micros) -> None:
                if firing.ended_at is None or not firing.fault.kind.lasts:
                    end = act(firing, now)
                    if end is not None:
                        ends.append(end)
                    else:
                        self.injector.finish(firing, now)

            self._put_off.append(begin)
            return lambda now: self._put_off.extend(ends)

        return later

    # --- what the device calls -----------------------------------------------------------------------------------

    def look(self, now: Micros) -> None:
        """Note that the device may have changed, or is about to."""
        if self.store is not None:
            self.store.now = now
        self.injector.look(now)

    def advance(self, now: Micros) -> None:
        """Do what is due, to a device that nothing else is being done to."""
        if self.store is not None:
            self.store.now = now
        self.injector.advance(now)
        while self._put_off:
            self._put_off.pop(0)(now)
        if self._restart_at is not None and now >= self._restart_at:
            self._restart_at = None
            self._power.give(_ENDED, now)

    def next_deadline(self) -> Micros | None:
        """Return the time at which `advance` has something to do; None for never."""
        if self._put_off:
            return Micros(0)
        due = self.injector.next_deadline()
        if self._restart_at is not None and (due is None or self._restart_at < due):
            return self._restart_at
        return due

    def answer(self, command: Message, now: Micros) -> Message:
        """Carry out a command that is about faults."""
        return COMMANDS[command.__class__](self, command, now)

    def memory_failed(self, error: NvmFileError | PowerLostError, now: Micros) -> bool:
        """Go on after a fault of the memory: after a loss of power at once, after a failed write by a restart."""
        if self.store is None:
            return False
        if isinstance(error, PowerLostError):
            self._power.restart(now)  # the fault has said what is left of the memory
        else:
            self._power.end(_ENDED, now)
            self._restart_at = Micros(now + RESTART_US)
        return True

    # --- power ---------------------------------------------------------------------------------------------------

    def _lose(self) -> None:
        if self.store is not None:
            self.store.lose()

    def _boot(self, now: Micros) -> None:
        if self.store is not None:
            self.device.nvm = self.store.load()
        try:
            self.device.reboot(now)
        except (NvmFileError, PowerLostError) as error:
            if not self.memory_failed(error, now):
                raise
