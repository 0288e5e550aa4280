"""Watches what goes over a device's ports, and counts it for each host: what a report is made of.

It is a tap, as the trace is, with a decoder of its own: a device that nobody asked for a report does nothing for one.
What no wire shows (a lease that ran out, truth) it takes from the device.

Law: it only reads. Of a host it keeps numbers, and a line for each kind of refusal and each session; hosts beyond
`MAX_HOSTS` are counted as one.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from firmware_sim.device import Device
from firmware_sim.ports import LinkEnd, Port
from firmware_sim.serve.real_time import OpenTap, Tap
from firmware_sim.serve.report.run import Run
from firmware_sim.serve.report.tally import Closed, Tally
from firmware_sim.serve.transports.table import TRANSPORTS
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Kind
from protocols.language.errors import MessageError
from protocols.language.message import REGISTRY, Message
from protocols.language.sides import Side, only_sender
from protocols.language.units import Micros
from protocols.link.header import REPLAYED, RETRANSMIT, Header
from protocols.mqtt.wire import Publication, decode_publication
from protocols.serial.framing import Frame, FrameDecoder
from protocols.serial.payload import decode_message

_Value = TypeVar("_Value")

MAX_HOSTS: Final = 64
"""Host ids are the hosts' own: one that makes a new one for each link must not fill the memory."""
OTHER_HOSTS: Final = -1
"""The host id under which the rest is counted."""
MAX_PENDING: Final = 64
"""Commands without an answer that are remembered by name; a host has at most six under way."""

_LAST_WORDS: Final[Mapping[type[Message] | None, str]] = {M.Bye: "by BYE", M.Nak: "by its NAK E_LINK"}
"""Messages by which a host ends the link that they are said on; they are heard here before the device hears them."""
_READ: Final = frozenset(
    (model.KIND, model.ID)
    for model in (M.Hello, M.Welcome, M.Nak, M.Refused, M.SessionOpenDone, M.SessionClose, M.SessionCloseDone)
)
"""Messages whose content is looked at; of all others kind and id are enough."""


class Watch:
    """All hosts of one device. `open_tap` makes the taps; `inner` is the trace's, which hears the same."""

    def __init__(self, device: Device, first_event_no: int, inner: OpenTap | None = None) -> None:
        self.run = Run(device, first_event_no)
        self.hosts: dict[int, Tally] = {}
        self.strangers: dict[str, Tally] = {}
        self._device = device
        self._inner = inner
        self._ports: dict[str, PortWatch] = {}
        device.link_ended = self._link_ended

    def open_tap(self, name: str, now: Micros) -> Tap:
        """The tap of a port."""
        inner = None if self._inner is None else self._inner(name, now)
        watch = self._ports[name] = PortWatch(name, self, inner)
        return watch

    def host(self, host_id: int) -> Tally:
        """The tally of a host."""
        if host_id not in self.hosts and len(self.hosts) >= MAX_HOSTS:
            host_id = OTHER_HOSTS
        return self.hosts.setdefault(host_id, Tally(host_id=host_id))

    def gone(self, port: "PortWatch") -> None:
        """A port is closed; what came on it before any link is a stranger's."""
        self._ports.pop(port.name, None)
        if port.tally.host_id is None and port.tally.bytes_received:
            transport = port.tally.transports[0]
            self.strangers.setdefault(transport, Tally(transports=[transport])).absorb(port.tally)

    def opened(self, tally: Tally, session_no: int) -> None:
        """A host has opened a session."""
        tally.left_open = session_no

    def closed(self, tally: Tally, closed: Closed) -> None:
        """A host has closed a session, which another host may have opened."""
        tally.closed.append(closed)
        for other in self.hosts.values():
            if other.left_open == closed.session_no:
                other.left_open = 0

    def armed_by(self, host_id: int | None) -> bool:
        """Return True if a host holds the device armed."""
        return self._device.board.armed and self._device.controller_host_id == host_id

    def _link_ended(self, port: Port, end: LinkEnd, now: Micros) -> None:
        watch = self._ports.get(port.name)
        if watch is not None:
            watch.unlinked(end, port.exchange.statistics.leases_expired, self.armed_by(port.host_id), now)


class PortWatch:
    """The tap of one port. Until a host has linked on it, nobody knows whose it is."""

    def __init__(self, name: str, watch: Watch, inner: Tap | None) -> None:
        self.name = name
        self.tally = Tally(transports=[name.partition(":")[0]])
        self._watch = watch
        self._inner = inner
        self._decoders = {"host": FrameDecoder(), "device": FrameDecoder()}
        self._hellos: OrderedDict[int, M.Hello] = OrderedDict()
        self._pending: OrderedDict[int, tuple[str, Message | None]] = OrderedDict()
        self._linked_at: Micros | None = None
        self._last_word = ""
        self._left_on: tuple[str, ...] = ()
        self._leases_expired = 0

    def heard(self, sender: str, data: bytes | Publication, now: Micros) -> None:
        """A piece of bytes, or a publication."""
        if self._inner is not None:
            self._inner.heard(sender, data, now)
        if sender == "host":
            self.tally.bytes_received += len(data.body if isinstance(data, Publication) else data)
            for header, message in self._decoded(sender, data):
                self._asked(header, message)
        else:
            for header, message in self._decoded(sender, data):
                self._answered(header, message, now)
        self._watch.run.keep_up()

    def line_set(self, left_on: Sequence[str], now: Micros) -> None:
        """A host has set its terminal."""
        if self._inner is not None:
            self._inner.line_set(left_on, now)
        self._left_on = tuple(left_on)
        if left_on:
            self.tally.line_flags = self._left_on

    def noted(self, what: str, now: Micros) -> None:
        """A host has done something with its line."""
        if self._inner is not None:
            self._inner.noted(what, now)

    def closed(self, now: Micros) -> None:
        """The port is gone."""
        if self._inner is not None:
            self._inner.closed(now)
        self._unlink(now)
        self._watch.gone(self)

    def unlinked(self, end: LinkEnd, leases_expired: int, armed: bool, now: Micros) -> None:
        """The device holds the link to have ended; `leases_expired` on this port so far."""
        if leases_expired > self._leases_expired:
            self._leases_expired = leases_expired
            if armed:
                self.tally.leases_expired_armed += 1
            else:
                self.tally.leases_expired_idle += 1
        elif armed and self._linked_at is not None:
            self.tally.left_armed[self._departure(end)] += 1
        self._unlink(now)

    def _departure(self, end: LinkEnd) -> str:
        if end is LinkEnd.LOST:
            return self._last_word
        if end is LinkEnd.HELLO:
            return "by a new HELLO"
        return f"with {TRANSPORTS[self.tally.transports[-1]].through}"

    def _unlink(self, now: Micros) -> None:
        if self._linked_at is not None:
            self.tally.linked_us = Micros(self.tally.linked_us + now - self._linked_at)
            self._linked_at = None

    # --- what goes over it -----------------------------------------------------------------------------------

    def _decoded(self, sender: str, data: bytes | Publication) -> Iterator[tuple[Header, Message | None]]:
        """Each good frame, with its message where that is looked at; bad ones are counted."""
        if isinstance(data, Publication):
            header, message, _ = decode_publication(data)
            self.tally.unanswerable += not _answerable(data)
            yield header, message
            return
        decoder = self._decoders[sender]
        found = decoder.feed(data)
        if sender == "host":
            self.tally.heard.note(data, found, decoder.kept)
        for item in found:
            if isinstance(item, Frame):
                yield item.header, _message(item)

    def _asked(self, header: Header, message: Message | None) -> None:
        tally = self.tally
        if only_sender(header.kind, header.message_id) is Side.DEVICE:
            tally.echoes += 1
            return
        tally.frames_received += 1
        again = bool(header.flags & RETRANSMIT)
        tally.retransmits += again
        # Where the first of them was lost on the way, the second is the command.
        if header.kind == Kind.COMMAND and not (again and header.correlation_id in self._pending):
            name = _name(header)
            tally.commands[name] += 1
            _remember(self._pending, header.correlation_id, (name, message))
        model = REGISTRY.get((header.kind, header.message_id))
        if model in _LAST_WORDS:
            self._last_word = _LAST_WORDS[model]
        if isinstance(message, M.Hello):
            tally.hellos += 1
            _remember(self._hellos, header.correlation_id, message)

    def _answered(self, header: Header, message: Message | None, now: Micros) -> None:
        self.tally.frames_sent += 1
        if header.flags & REPLAYED:
            self.tally.replays += 1
        elif isinstance(message, M.Welcome):
            self._welcomed(header, message, now)
        elif isinstance(message, M.Nak):
            self.tally.naked(message.code, self._command_of(header), message.sentence)
        elif isinstance(message, M.Refused):
            self.tally.refused(message.code, message.interlock, self._command_of(header), message.sentence)
        elif REGISTRY.get((header.kind, header.message_id)) is M.Bye:
            self._unlink(now)  # the device ends: that is nobody's mistake
        elif header.kind == Kind.REPLY:
            self._done(header, message)

    def _done(self, header: Header, message: Message | None) -> None:
        tally, model = self.tally, REGISTRY.get((header.kind, header.message_id))
        if model is M.CountDone:
            tally.cycles += 1
        elif model is M.Failed:
            tally.failed += 1
        elif model is M.Aborted:
            tally.aborted += 1
        elif isinstance(message, M.SessionOpenDone):
            self._watch.opened(tally, message.session_no)
        elif isinstance(message, M.SessionCloseDone):
            _, close = self._pending.get(header.correlation_id, ("", None))
            reason = close.reason if isinstance(close, M.SessionClose) else CloseReason.UNKNOWN
            self._watch.closed(tally, Closed(message.session_no, reason, message.cycles, message.cores_counted))

    def _welcomed(self, header: Header, welcome: M.Welcome, now: Micros) -> None:
        hello = self._hellos.get(header.correlation_id)
        if hello is None:
            return
        self._unlink(now)
        tally = self._watch.host(hello.host_id)
        if tally is not self.tally:
            if self.tally.host_id is None:
                left_on = self._left_on or tally.line_flags  # not what a terminal program left there before this host
                tally.absorb(self.tally)
                tally.line_flags = left_on
            else:
                tally.absorb(Tally(transports=self.tally.transports[-1:]))
            self.tally = tally
        tally.links += 1
        tally.role = welcome.role
        tally.heartbeat_armed_ms, tally.heartbeat_idle_ms = welcome.heartbeat_armed_ms, welcome.heartbeat_idle_ms
        tally.lease_off = tally.lease_off or welcome.lease_armed_ms == 0
        tally.lease_at_rest_off = tally.lease_at_rest_off or welcome.lease_idle_ms == 0
        self._pending.clear()
        self._linked_at = now

    def _command_of(self, header: Header) -> str:
        name, _ = self._pending.get(header.correlation_id, ("", None))
        return name or ("Hello" if header.correlation_id in self._hellos else "")


def _message(frame: Frame) -> Message | None:
    if (frame.header.kind, frame.header.message_id) not in _READ:
        return None
    try:
        return decode_message(frame)
    except MessageError:
        return None


def _answerable(said: Publication) -> bool:
    """True if a publication says where its answer is to go; what is no command, as a device's, wants none."""
    base, command, _ = said.topic.rpartition("/command/")
    return not command or (said.response_topic or "").startswith(f"{base}/reply/")


def _name(header: Header) -> str:
    model = REGISTRY.get((header.kind, header.message_id))
    return f"0x{header.message_id:04X}" if model is None else model.__name__


def _remember(held: OrderedDict[int, _Value], key: int, value: _Value) -> None:
    held[key] = value
    held.move_to_end(key)
    if len(held) > MAX_PENDING:
        held.popitem(last=False)
