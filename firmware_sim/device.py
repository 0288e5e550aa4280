"""The device: firmware, plant and memory behind any number of ports, each with its own end of a link.

`receive(port, data, now)` and `advance(now)` do what is due; each port's `exchange.take()` gives what to send;
`next_deadline()` is when to come back. Each of them raises NvmFileError where what had begun cannot be kept; the
device has made itself safe then, and is to be ended.

Law: no I/O, no clock. Who may command is decided by `control`; what a command does, by the firmware. When one of these
calls returns, all that it has left in memory would survive a loss of power: what is on the wire is on the disk.
"""

import random
from collections.abc import Callable, Sized
from typing import Final, Protocol, assert_never

from firmware_sim.board.board import Board
from firmware_sim.board.refusals import not_kept, refusal
from firmware_sim.board.states import HELD
from firmware_sim.commands.queries import QUERIES
from firmware_sim.commands.rules import RULES
from firmware_sim.commands.settings import SETTINGS
from firmware_sim.commands.statements import heartbeat, telemetry, welcome
from firmware_sim.control import MAX_VIEWERS, Control
from firmware_sim.errors import NvmFileError, PowerLostError
from firmware_sim.firmware import Firmware
from firmware_sim.memory.nvm import LAST_ROOM, Nvm
from firmware_sim.memory.steps import Put
from firmware_sim.model.parameters import Parameters
from firmware_sim.model.plant import Plant
from firmware_sim.ports import LinkEnd, Port, PortAsker
from firmware_sim.safety.reactions import give_up, link_lost
from protocols.language import records as R
from protocols.language.enums import ByeReason, Code, Lane, Role
from protocols.language.message import Message
from protocols.language.messages import FaultClear, FaultGet, FaultInject, Heartbeat, PowerCut, Refused
from protocols.language.units import Micros
from protocols.link.happenings import Commanded, DeviceHappening, Greeted, LinkLost, Told
from protocols.link.pace import Pace
from protocols.link.port import AnyWire
from protocols.serial.wire import SerialWire

__all__ = ["Device", "Port"]

_STOP: Final = Lane.STOP
ABOUT_FAULTS: Final = (FaultInject, FaultClear, FaultGet, PowerCut)
"""Commands about injected faults: anyone who has a link may give them, an instructor as a viewer too."""


class Injected(Protocol):
    """Faults that were injected into a device; see `firmware_sim.faults.injected`."""

    def look(self, now: Micros) -> None:
        """Note that the device may have changed, or is about to."""

    def advance(self, now: Micros) -> None:
        """Do what is due, to a device that nothing else is being done to."""

    def next_deadline(self) -> Micros | None:
        """Return the time at which `advance` has something to do; None for never."""

    def answer(self, command: Message, now: Micros) -> Message:
        """Carry out a command that is about faults, one of `ABOUT_FAULTS`."""

    def memory_failed(self, error: NvmFileError | PowerLostError, now: Micros) -> bool:
        """Go on after a fault of the memory; False if it is none of these faults."""


class Device:
    """One handpiece. `seed` makes everything that is random; `nvm` may have outlived this device's earlier process."""

    def __init__(
        self,
        *,
        seed: int,
        now: Micros = Micros(0),
        parameters: Parameters | None = None,
        nvm: Nvm | None = None,
    ) -> None:
        """Power it on.

        Raises:
            SeedError: `nvm` is of a device with another seed.
        """
        self.seed = seed
        self.parameters = parameters if parameters is not None else Parameters()
        epoch = random.Random(f"{seed}:epoch").getrandbits(32) or 1
        self.nvm = nvm if nvm is not None else Nvm(epoch=epoch)
        self.nvm.keep_seed(seed)
        self.plant = Plant(self.parameters, seed, earlier_boots=self.nvm.boot_count)
        self.ports: list[Port] = []
        self.link_ended: Callable[[Port, LinkEnd, Micros], None] | None = None
        """Hears that the link on a port has ended, before the device reacts to it; for reports."""
        self.powered = True
        self.injected: Injected | None = None
        """Faults that were injected; None until there is one."""
        self.inject: Callable[[Device, Micros], Injected] | None = None
        """Makes `injected` at the first command about faults; None where nobody can."""
        self._refit(now)
        self._boot(now)

    @property
    def serial(self) -> str:
        """Serial number, which follows from the seed."""
        return self.board.serial

    # --- power and ports -------------------------------------------------------------------------------------

    def _refit(self, now: Micros) -> None:
        """Put in the consumables that were fitted when the memory's last device lost power."""
        nvm, plant = self.nvm, self.plant
        if nvm.cartridge_serial:
            plant.cartridge.serial, plant.cartridge.cycles = nvm.cartridge_serial, nvm.cartridge_cycles
            plant.canister.volume_ul = nvm.canister_ul
        session = nvm.session
        if session is not None and session.session_no != nvm.cartridge_session and not self.parameters.consumables_keep:
            plant.fit_fresh_consumables(session.session_no, now)  # as at its opening: ARM would have bound them

    def _boot(self, now: Micros) -> None:
        self.board = Board(self.seed, self.nvm, self.plant, self.parameters, announce=self._announce, booted_at=now)
        self.firmware = Firmware(self.board)
        self.control = Control(self.board, self.ports)
        self.firmware.boot(now)
        self.nvm.sync()

    def power_off(self, now: Micros) -> None:
        """Lose power: the reserve brings the needles home; no link survives, and nothing is heard until `reboot`."""
        self.plant.reboot(now)
        self.powered = False
        for port in self.ports:
            port.restart()

    def reboot(self, now: Micros) -> None:
        """Lose power and get it back: all but memory, plant and consumables begins again; no link survives."""
        self.plant.reboot(now)
        self.powered = True
        if self.plant.inputs.latch_unreadable:
            self.nvm.keep(Put("stroke_latch", None))
        for port in self.ports:
            port.restart()
        self._boot(now)

    def attach(self, name: str, make_wire: Callable[[], AnyWire] = SerialWire) -> Port:
        """Add the port of a transport; what it carries is what the wire of `make_wire` takes and gives."""
        port = Port(name, self._beat, make_wire)
        self.ports.append(port)
        return port

    def detach(self, port: Port, now: Micros) -> None:
        """Take away the port of a transport that is gone, and with it any link on it."""
        self.ports.remove(port)
        port.exchange.drop()
        if not self.powered:
            return
        try:
            self._link_gone(port, LinkEnd.TRANSPORT, now)
            self._keep(now)
        except (NvmFileError, PowerLostError) as error:
            self._fail(error, now)

    # --- the sans-IO face ------------------------------------------------------------------------------------

    def receive(self, port: Port, data: Sized, now: Micros) -> None:
        """Take what a port's transport brought."""
        if not self.powered:
            return
        try:
            if self.injected is not None:
                self.injected.look(now)
            for happening in port.exchange.receive(data, now):
                self._take_in(port, happening, now)
            self._keep(now)
        except (NvmFileError, PowerLostError) as error:
            self._fail(error, now)

    def advance(self, now: Micros) -> None:
        """Do what is due."""
        try:
            if self.injected is not None:
                self.injected.advance(now)
            if not self.powered:
                return
            self.firmware.advance(now)
            for port in self.ports:
                for happening in port.exchange.advance(now):
                    self._take_in(port, happening, now)
                if port.stream_us and now >= port.stream_due:
                    missed = (now - port.stream_due) // port.stream_us  # after a stall it goes on, without a burst
                    port.stream_due = Micros(port.stream_due + (missed + 1) * port.stream_us)
                    port.exchange.tell(telemetry(self.board, now), now)
            self._keep(now)
        except (NvmFileError, PowerLostError) as error:
            self._fail(error, now)

    def next_deadline(self) -> Micros | None:
        """Return the time at which `advance` has something to do; None: nothing before something is received."""
        wake = self.firmware.next_deadline() if self.powered else None
        if self.injected is not None:
            due = self.injected.next_deadline()
            if due is not None and (wake is None or due < wake):
                wake = due
        for port in self.ports:
            due = port.exchange.next_deadline()
            if due is not None and (wake is None or due < wake):
                wake = due
            if port.stream_us and (wake is None or port.stream_due < wake):
                wake = port.stream_due
        return wake

    def inputs_changed(self, now: Micros) -> None:
        """Let the firmware see `plant.inputs` or a parameter that was changed from outside."""
        if not self.powered:
            return
        try:
            self.firmware.inputs_changed(now)
            self._keep(now)
        except (NvmFileError, PowerLostError) as error:
            self._fail(error, now)

    def set_alarm(self, code: int, *, present: bool, now: Micros) -> None:
        """Raise or clear an alarm whose cause was found outside."""
        if not self.powered:
            return
        try:
            self.board.set_alarm(code, present, now)
            self._keep(now)
        except (NvmFileError, PowerLostError) as error:
            self._fail(error, now)

    def _keep(self, now: Micros) -> None:
        """End what was done to the device, before anybody can hear of it: its pace follows, its memory is synced.

        What was done may have taken many steps of the memory; they are synced once.
        """
        self._keep_pace(now)
        if self.nvm.unsynced:
            self.nvm.sync()
        if self.injected is not None:
            self.injected.look(now)

    def _fail(self, error: NvmFileError | PowerLostError, now: Micros) -> None:
        """Go on after a fault of the memory that was injected; any other is for the caller, with the device safe."""
        if self.injected is not None and self.injected.memory_failed(error, now):
            return
        if isinstance(error, NvmFileError):
            self.give_up(now)
        raise error

    def give_up(self, now: Micros) -> None:
        """Make the device safe after what had begun could not be kept. What it was about to say is dropped."""
        for port in self.ports:
            port.exchange.outbox.clear()
        give_up(self.board, now)

    # --- links and control -----------------------------------------------------------------------------------

    @property
    def controller_host_id(self) -> int:
        """The host that holds control, 0 if none does."""
        return self.control.host_id

    def _take_in(self, port: Port, happening: DeviceHappening, now: Micros) -> None:
        match happening:
            case Commanded():
                self._command(port, happening, now)
            case Greeted():
                self._greet(port, happening, now)
            case LinkLost():
                self._link_gone(port, LinkEnd.LOST, now)
            case Told():
                pass  # a heartbeat, which has done its work in the exchange
            case _:
                assert_never(happening)

    def _greet(self, port: Port, greeted: Greeted, now: Micros) -> None:
        """Answer a HELLO: by a link with its number in the memory, or by the reason for none."""
        if not port.links.spend(now):  # in silence: a host that asks in earnest asks again
            return
        hello = greeted.hello
        if not self.control.has_room(port, hello.role, hello.host_id):
            text = f"{MAX_VIEWERS} viewers are linked: one has to leave first, the last place is for a controller"
            port.exchange.deny(greeted, Code.E_BUSY, text, now)
            return
        try:
            self.nvm.reserve(LAST_ROOM)
            link_id = self.nvm.next_link_id()
        except NvmFileError as error:
            port.exchange.deny(greeted, Code.E_STORAGE, not_kept(error).sentence, now)
            return
        self._end_links_before(port, hello.host_id, now)
        port.role = Role.CONTROLLER if hello.role is Role.CONTROLLER else Role.VIEWER
        port.host_id = hello.host_id
        port.max_payload_size = hello.max_payload_size
        port.stream_us = 0
        port.exchange.welcome(welcome(self.control, port, link_id, hello, now), greeted, now)
        port.idle_pace = Pace.of_ms(self.parameters.heartbeat_idle_ms, self.parameters.lease_idle_ms)
        port.armed_pace = Pace.of_ms(self.parameters.heartbeat_armed_ms, self.parameters.lease_armed_ms)
        port.exchange.pace = port.idle_pace
        port.hurried = False

    def _end_links_before(self, port: Port, host_id: int, now: Micros) -> None:
        """End what a HELLO replaces: the link on its port, and those of the same host on others."""
        if port.exchange.linked:
            port.exchange.drop()
            self._link_gone(port, LinkEnd.HELLO, now)
        for other in self.ports:
            if other.exchange.linked and other.host_id == host_id:
                other.exchange.bye(ByeReason.REPLACED, now)
                self._link_gone(other, LinkEnd.HELLO, now)

    def _link_gone(self, port: Port, end: LinkEnd, now: Micros) -> None:
        if self.link_ended is not None:
            self.link_ended(port, end, now)
        port.role = Role.VIEWER
        port.hurried = False
        port.stream_us = 0
        if self.control.release(port):
            link_lost(self.board, now)

    def _beat(self, now: Micros) -> Heartbeat:
        return heartbeat(self.board, now)

    def _announce(self, message: Message, now: Micros) -> None:
        for port in self.ports:
            if port.exchange.linked:
                port.exchange.tell(message, now)

    def _keep_pace(self, now: Micros) -> None:
        """Give the controlling link the short lease while the device is armed, and only then.

        A device that was made safe says so at once: its host, which may be waiting for nothing, would else take the
        longer silence that follows for a lost link.
        """
        port, armed = self.control.holder, self.board.armed
        # Not on a link that is gone: its end may be behind the command in the same piece, and not taken in yet.
        if port is None or port.hurried is armed or not port.exchange.linked:
            return
        port.hurried = armed
        port.exchange.pace = port.armed_pace if armed else port.idle_pace
        if self.board.state in HELD:
            port.exchange.tell(heartbeat(self.board, now), now)

    # --- commands --------------------------------------------------------------------------------------------

    def _command(self, port: Port, commanded: Commanded, now: Micros) -> None:
        command = commanded.command
        asker = PortAsker(port.exchange, commanded.correlation_id)
        query = QUERIES.get(command.__class__)
        answer: Message | None
        if query is not None:
            answer = query(self.control, port, command, now)
        elif command.__class__ in ABOUT_FAULTS:
            answer = self._answer_about_faults(command, now)
        elif isinstance(answer := self._govern(port, asker, command, now), Refused):
            self._journal_refusal(port, command, answer, now)
        if answer is not None:
            asker.reply(answer, now)

    def _answer_about_faults(self, command: Message, now: Micros) -> Message:
        if self.injected is None and self.inject is not None:
            self.injected = self.inject(self, now)
        if self.injected is None:
            return refusal(Code.E_UNSUPPORTED, "no faults can be injected into this device")
        return self.injected.answer(command, now)

    def _govern(self, port: Port, asker: PortAsker, command: Message, now: Micros) -> Message | None:
        """Carry out a command that changes something, if the one who asks may give it."""
        stop = command.LANE is _STOP
        if not stop and (no := self.control.refuse(port)) is not None:
            return no
        rule = RULES.get(command.__class__)
        if rule is None:
            setting = SETTINGS.get(command.__class__)
            if setting is None:
                return refusal(Code.E_UNSUPPORTED, f"this device does not carry out {command.__class__.__name__}")
            return setting(self.board, command, now)
        if not self.firmware.allows(rule):
            return self.firmware.turn_away(rule, asker, command, now)
        answer = self.firmware.carry_out(rule, asker, command, now)
        if not stop and not isinstance(answer, Refused):
            self._settle_control(port, now)
        return answer

    def _settle_control(self, port: Port, now: Micros) -> None:
        """Give control of the open session to `port`, of which a command was accepted; it ends with the session."""
        if self.nvm.session is not None:
            self.control.holder = port
        else:
            self._keep_pace(now)
            self.control.holder = None

    def _journal_refusal(self, port: Port, command: Message, answer: Refused, now: Micros) -> None:
        """Note a refusal in the session's record: to a link that may control, not to a viewer or a rival."""
        if self.control.may_have(port):
            self.board.note(
                R.Refusal,
                now,
                code=answer.code,
                interlock=answer.interlock,
                message_id=command.ID,
                cycle_no=getattr(command, "cycle_no", 0),
            )
