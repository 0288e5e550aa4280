"""The device: firmware, plant and memory behind any number of ports, each with its own end of a link.

`receive(port, data, now)` and `advance(now)` do what is due; each port's `exchange.take()` gives what to send;
`next_deadline()` is when to come back. One link controls, the others look. Each of them raises NvmFileError where
what had begun cannot be kept; the device has made itself safe then, and is to be ended.

Law: no I/O, no clock. Who may command is decided here; what a command does, in the firmware. When one of these calls
returns, all that it has left in memory would survive a loss of power: what is on the wire is on the disk.
"""

import contextlib
import random
from collections.abc import Callable
from typing import Any, Final

from firmware_sim.commands.queries import QUERIES
from firmware_sim.commands.rules import RULES, Rule, unlawful
from firmware_sim.commands.settings import acknowledge_alarm, set_parameter
from firmware_sim.commands.statements import heartbeat, telemetry, welcome
from firmware_sim.errors import NvmFileError
from firmware_sim.firmware import Firmware
from firmware_sim.memory.nvm import LAST_ROOM, WORK_ROOM, Nvm
from firmware_sim.memory.steps import Put
from firmware_sim.model.parameters import Parameters
from firmware_sim.model.plant import Plant
from firmware_sim.ports import LinkEnd, Port, PortAsker
from firmware_sim.refusals import not_kept, refusal
from firmware_sim.safety.punch_checks import no_room, no_store
from firmware_sim.states import HELD
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import ByeReason, Code, Lane, Role
from protocols.language.message import Message
from protocols.language.messages import Heartbeat, Refused
from protocols.language.units import Micros
from protocols.link.happenings import Commanded, Greeted, LinkLost
from protocols.link.pace import Pace
from protocols.link.port import Wire
from protocols.serial.wire import SerialWire

__all__ = ["Device", "Port"]

REFUSALS_KEEP_FREE: Final = 128
"""Journal slots that refusals leave free: a host that is refused for ever must not crowd out a session's cycles."""

MAX_VIEWERS: Final = 15
"""Viewers that may be linked, of all transports together. Each has one place more: however many look on, whoever is to
command gets in."""


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
        self.serial = f"SIM-{seed & 0xFFFF_FFFF:08X}"
        self.parameters = parameters if parameters is not None else Parameters()
        epoch = random.Random(f"{seed}:epoch").getrandbits(32) or 1
        self.nvm = nvm if nvm is not None else Nvm(epoch=epoch)
        self.nvm.keep_seed(seed)
        self.plant = Plant(self.parameters, seed, earlier_boots=self.nvm.boot_count)
        self.ports: list[Port] = []
        self.link_ended: Callable[[Port, LinkEnd, Micros], None] | None = None
        """Hears that the link on a port has ended, before the device reacts to it; for reports."""
        self._controller: Port | None = None
        """The link that holds control of the open session; None where there is no session, or nobody took it up."""
        self._refit(now)
        self._boot(now)

    # --- power and ports -------------------------------------------------------------------------------------

    def _refit(self, now: Micros) -> None:
        """The memory may have outlived an earlier plant, whose consumables are still fitted."""
        nvm, plant = self.nvm, self.plant
        if nvm.cartridge_serial:
            plant.cartridge.serial, plant.cartridge.cycles = nvm.cartridge_serial, nvm.cartridge_cycles
            plant.canister_ul = nvm.canister_ul
        session = nvm.session
        if session is not None and session.session_no != nvm.cartridge_session and not self.parameters.consumables_keep:
            plant.fit_fresh_consumables(session.session_no, now)  # as at its opening: ARM would have bound them

    def _boot(self, now: Micros) -> None:
        self.firmware = Firmware(self.nvm, self.plant, self.parameters, self._announce)
        self.firmware.boot(now)
        self.nvm.sync()

    def reboot(self, now: Micros) -> None:
        """Power is lost and comes back: all but memory, plant and consumables begins anew; no link survives."""
        self.plant.reboot(now)
        if self.plant.inputs.latch_unreadable:
            self.nvm.keep(Put("stroke_latch", None))
        self._controller = None
        for port in self.ports:
            port.restart()
        self._boot(now)

    def attach(self, name: str, make_wire: Callable[[], Wire[Any]] = SerialWire) -> Port:
        """A transport is there; what it carries is what the wire of `make_wire` takes and gives."""
        port = Port(name, self._beat, make_wire)
        self.ports.append(port)
        return port

    def detach(self, port: Port, now: Micros) -> None:
        """A transport is gone, and with it any link on it."""
        self.ports.remove(port)
        port.exchange.drop()
        self._guarded(now, self._link_gone, port, LinkEnd.TRANSPORT)

    # --- the sans-IO face ------------------------------------------------------------------------------------

    def receive(self, port: Port, data: Any, now: Micros) -> None:
        """Take what a port's transport brought."""
        self._guarded(now, self._receive, port, data)

    def _receive(self, port: Port, data: Any, now: Micros) -> None:
        for happening in port.exchange.receive(data, now):
            self._take_in(port, happening, now)

    def advance(self, now: Micros) -> None:
        """Do what is due."""
        self._guarded(now, self._advance)

    def _advance(self, now: Micros) -> None:
        self.firmware.advance(now)
        for port in self.ports:
            for happening in port.exchange.advance(now):
                self._take_in(port, happening, now)
            if port.stream_us and now >= port.stream_due:
                missed = (now - port.stream_due) // port.stream_us  # after a stall the stream goes on, without a burst
                port.stream_due = Micros(port.stream_due + (missed + 1) * port.stream_us)
                port.exchange.tell(telemetry(self, now), now)

    def next_deadline(self) -> Micros | None:
        """When `advance` has something to do."""
        wake = self.firmware.next_deadline()
        for port in self.ports:
            due = port.exchange.next_deadline()
            if due is not None and (wake is None or due < wake):
                wake = due
            if port.stream_us and (wake is None or port.stream_due < wake):
                wake = port.stream_due
        return wake

    def inputs_changed(self, now: Micros) -> None:
        """Somebody changed `plant.inputs` or a parameter from outside: let the firmware see it now."""
        self._guarded(now, self.firmware.inputs_changed)

    def set_alarm(self, code: int, *, present: bool, now: Micros) -> None:
        """Somebody found the cause of an alarm outside, or found it gone."""
        self._guarded(now, self.firmware.set_alarm, code, present)

    def _guarded(self, now: Micros, act: Callable[..., None], *arguments: Any) -> None:
        """Act, and sync what that has left in memory before anybody can hear of it: once, however many steps it took.

        Where what had begun cannot be kept, nobody hears of it: make the device safe and let whoever drives it know.
        """
        try:
            act(*arguments, now)
            self._keep_pace(now)
            if self.nvm.unsynced:
                self.nvm.sync()
        except NvmFileError:
            for port in self.ports:
                port.exchange.outbox.clear()
            self.firmware.give_up(now)
            raise

    # --- links and control -----------------------------------------------------------------------------------

    @property
    def controller_host_id(self) -> int:
        """The host that holds control, 0 if none does."""
        return 0 if self._controller is None else self._controller.host_id

    def may_control(self, port: Port) -> bool:
        """Whether this link holds control or may have it: role controller, and nobody else holds it."""
        return port.role is Role.CONTROLLER and self._controller in (None, port)

    def _take_in(self, port: Port, happening: object, now: Micros) -> None:
        if isinstance(happening, Commanded):
            self._command(port, happening, now)
        elif isinstance(happening, Greeted):
            self._greet(port, happening, now)
        elif isinstance(happening, LinkLost):
            self._link_gone(port, LinkEnd.LOST, now)

    def _greet(self, port: Port, greeted: Greeted, now: Micros) -> None:
        if not port.links.spend(now):  # in silence: a host that asks in earnest asks again
            return
        hello = greeted.hello
        if hello.role is not Role.CONTROLLER and self._viewers_beside(port, hello.host_id) >= MAX_VIEWERS:
            text = f"{MAX_VIEWERS} viewers are linked: one has to leave first, the last place is for a controller"
            port.exchange.deny(greeted, Code.E_BUSY, text, now)
            return
        try:
            self.nvm.reserve(LAST_ROOM)
            link_id = self.nvm.next_link_id()
        except NvmFileError as error:
            port.exchange.deny(greeted, Code.E_STORAGE, not_kept(error).sentence, now)
            return
        if port.exchange.linked:
            port.exchange.drop()
            self._link_gone(port, LinkEnd.HELLO, now)
        for other in self.ports:
            if other.exchange.linked and other.host_id == hello.host_id:
                other.exchange.bye(ByeReason.REPLACED, now)
                self._link_gone(other, LinkEnd.HELLO, now)
        port.role = Role.CONTROLLER if hello.role is Role.CONTROLLER else Role.VIEWER
        port.host_id = hello.host_id
        port.max_payload_size = hello.max_payload_size
        port.stream_us = 0
        port.exchange.welcome(welcome(self, port, link_id, hello, now), greeted, now)
        port.idle_pace = Pace.of_ms(self.parameters.heartbeat_idle_ms, self.parameters.lease_idle_ms)
        port.armed_pace = Pace.of_ms(self.parameters.heartbeat_armed_ms, self.parameters.lease_armed_ms)
        port.exchange.pace = port.idle_pace
        port.hurried = False

    def _viewers_beside(self, port: Port, host_id: int) -> int:
        """Number of viewers that there would be beside this host: the link that its HELLO replaces is none of them."""
        return sum(
            other.exchange.linked and other.role is not Role.CONTROLLER and other.host_id != host_id
            for other in self.ports
            if other is not port
        )

    def _link_gone(self, port: Port, end: LinkEnd, now: Micros) -> None:
        if self.link_ended is not None:
            self.link_ended(port, end, now)
        port.role = Role.VIEWER
        port.hurried = False
        port.stream_us = 0
        if self._controller is port:
            self._controller = None
            self.firmware.link_lost(now)

    def _beat(self, now: Micros) -> Heartbeat:
        return heartbeat(self, now)

    def _announce(self, message: Message, now: Micros) -> None:
        for port in self.ports:
            if port.exchange.linked:
                port.exchange.tell(message, now)

    def _keep_pace(self, now: Micros) -> None:
        """The controlling link keeps the short lease while the device is armed, and only then.

        A device that was made safe says so at once: its host, which may be waiting for nothing, would else take the
        longer silence that follows for a lost link.
        """
        port = self._controller
        if port is not None:
            armed = self.firmware.armed
            if port.exchange.linked and port.hurried is not armed:
                port.hurried = armed
                port.exchange.pace = port.armed_pace if armed else port.idle_pace
                if self.firmware.state in HELD:
                    port.exchange.tell(heartbeat(self, now), now)

    # --- commands --------------------------------------------------------------------------------------------

    def _command(self, port: Port, commanded: Commanded, now: Micros) -> None:
        command = commanded.command
        asker = PortAsker(port.exchange, commanded.correlation_id)
        query = QUERIES.get(command.__class__)
        answer: Message | None
        if query is not None:
            answer = query(self, port, command, now)
        elif isinstance(answer := self._govern(port, asker, command, now), Refused):
            self._journal_refusal(port, command, answer, now)
        if answer is not None:
            asker.reply(answer, now)

    def _govern(self, port: Port, asker: PortAsker, command: Message, now: Micros) -> Message | None:
        """Carry out a command that changes something, if the one who asks may give it."""
        if command.LANE is not Lane.STOP and (no := self._unauthorized(port)) is not None:
            return no
        if isinstance(command, M.ParamSet):
            return set_parameter(self, command, now)
        if isinstance(command, M.AlarmAck):
            return acknowledge_alarm(self, command, now)
        rule = RULES.get(command.__class__)
        if rule is None:
            return refusal(Code.E_UNSUPPORTED, f"this device does not carry out {command.__class__.__name__}")
        return self._carry_out(rule, port, asker, command, now)

    def _carry_out(self, rule: Rule, port: Port, asker: PortAsker, command: Message, now: Micros) -> Message | None:
        """Carry out a command of the procedure, if the state allows it."""
        firmware = self.firmware
        if firmware.state not in rule.states or (rule.needs_session and self.nvm.session is None):
            # A late command of the cycle that ended last is answered with that ending, in any state.
            return None if firmware.cycle.repeat(asker, command, now) else unlawful(firmware, command, rule)
        no = no_room(firmware) if rule.needs_room else None
        if no is None and rule.store_room:
            no = no_store(firmware, rule.store_room)
        if no is not None:
            return no
        before = firmware.state, firmware.motion, self.nvm.steps_kept
        try:
            answer: Message | None = rule.check(firmware, now) if rule.check is not None else None
            if answer is None:
                if rule.journaled:
                    self._journal_action(command, now)
                before = firmware.state, firmware.motion, self.nvm.steps_kept
                answer = rule.handler(firmware, asker, command, now)
        except NvmFileError as error:
            # A handler keeps before it acts: where nothing has changed, nothing was begun. An open cycle was.
            changed = before != (firmware.state, firmware.motion, self.nvm.steps_kept)
            if changed or self.nvm.register is not None or command.LANE is Lane.STOP:
                raise
            return not_kept(error)
        if command.LANE is not Lane.STOP and not isinstance(answer, Refused):
            self._settle_control(port, now)
        return answer

    def _settle_control(self, port: Port, now: Micros) -> None:
        """A command of `port` was accepted: control of the open session is its own, and ends with the session."""
        if self.nvm.session is not None:
            self._controller = port
        else:
            self._keep_pace(now)
            self._controller = None

    def _unauthorized(self, port: Port) -> Refused | None:
        if port.role is not Role.CONTROLLER:
            return refusal(Code.E_AUTH, "this link is a viewer's: it may query and STOP, nothing else")
        if self._controller not in (None, port):
            holder = self.controller_host_id
            return refusal(Code.E_BUSY, f"host 0x{holder:08x} holds control of this device", actual=holder)
        return None

    def _journal_action(self, command: Message, now: Micros) -> None:
        firmware = self.firmware
        self._note(R.Action, now, message_id=command.ID, zone=firmware.zone, cell=firmware.cell)

    def _journal_refusal(self, port: Port, command: Message, answer: Refused, now: Micros) -> None:
        """A refusal to whoever may control is part of the session's record; a viewer's or a rival's is not."""
        if self.may_control(port):
            self._note(
                R.Refusal,
                now,
                code=answer.code,
                interlock=answer.interlock,
                message_id=command.ID,
                cycle_no=getattr(command, "cycle_no", 0),
            )

    def _note(self, record: type[R.Record], now: Micros, **fields: Any) -> None:
        """Write a record that nothing depends on, where there is room for more than is needed."""
        if self.nvm.free > REFUSALS_KEEP_FREE:
            with contextlib.suppress(NvmFileError):
                self.nvm.reserve(WORK_ROOM)
                self.nvm.append(record(event_no=self.nvm.head, uptime_ms=self.firmware.uptime_ms(now), **fields))
