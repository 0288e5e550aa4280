"""A host of a few lines for tests: one link over TCP or a serial port, blocking, nothing behind it.

It is the exchange and a channel; what it is told besides its answers is kept in `told`.
"""

import contextlib
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import serial

from firmware_sim.clock import monotonic
from protocols.language import messages as M
from protocols.language.enums import Role
from protocols.language.message import Message
from protocols.language.records import split_records
from protocols.language.schema import schema_id
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.language.version import MAJOR
from protocols.link.happenings import Answered, Denied, Linked, LinkLost, Told
from protocols.link.host_end import HostEnd
from protocols.link.pace import Pace
from protocols.link.port import Wire
from protocols.serial.wire import SerialWire
from tests.patience import MOMENT_S, deadline, patience


class Channel(Protocol):
    """What carries what the client's wire makes: bytes, on a serial wire."""

    def send(self, data: Any) -> None:
        """Send all of it."""

    def receive(self, seconds: float) -> Any:
        """What has come, after at most `seconds`; b"" for nothing, None where the channel was closed."""


class TcpChannel:
    """A TCP connection."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, patience())

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.settimeout(patience())
        self.socket.sendall(data)

    def receive(self, seconds: float) -> bytes | None:
        """What has come."""
        self.socket.settimeout(max(seconds, 0.001))
        try:
            return self.socket.recv(65536) or None
        except TimeoutError:
            return b""
        except ConnectionResetError:
            return None


class SerialChannel:
    """A serial port."""

    def __init__(self, path: str) -> None:
        self.port = serial.Serial(path, exclusive=True)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.port.write(data)

    def receive(self, seconds: float) -> bytes | None:
        """What has come."""
        # Not by pyserial's timeout: to set it writes the settings of the port anew, whatever others made of them.
        ready, _, _ = select.select([self.port], [], [], max(seconds, 0.001))
        return self.port.read(self.port.in_waiting) if ready else b""


class Client:
    """One host on one channel."""

    def __init__(
        self,
        channel: Channel,
        *,
        host_id: int = 1,
        role: Role = Role.CONTROLLER,
        wire: Wire[Any] | None = None,
    ) -> None:
        self.channel = channel
        self.exchange: HostEnd[Any] = HostEnd(wire or SerialWire())
        self.told: list[Message] = []
        self.lost: LinkLost | None = None
        self.welcome: M.Welcome | None = None
        self._host_id = host_id
        self._role = role
        self._answers: list[Answered] = []

    def greet(self) -> None:
        """Ask for a link."""
        hello = M.Hello(
            majors=1 << MAJOR,
            minor=0,
            role=self._role,
            features=0,
            schema_id=schema_id(0),
            host_id=self._host_id,
            max_payload_size=224,
            nonce=self._host_id,
        )
        self.welcome = self.lost = None
        self.exchange.hello(hello, monotonic())

    def link(self) -> M.Welcome:
        """HELLO, and the WELCOME to it."""
        self.greet()
        self.pump(lambda: self.welcome is not None)
        assert self.welcome is not None
        # As often as while armed, all the time: this host does not follow the device's state.
        heartbeat_us = Micros(self.welcome.heartbeat_armed_ms * MILLISECOND)
        self.exchange.pace = Pace(heartbeat_us, Micros(self.welcome.lease_idle_ms * MILLISECOND))
        return self.welcome

    def ask(self, command: Message) -> Message:
        """A command's final answer."""
        request = self.exchange.submit(command, monotonic())
        self.pump(lambda: any(answer.request is request and answer.final for answer in self._answers))
        return next(answer.message for answer in self._answers if answer.request is request and answer.final)

    def echo(self, data: bytes = b"are you there") -> None:
        """ECHO, and check that it comes back."""
        assert self.ask(M.Echo(data=data)) == M.EchoDone(data=data)

    def journal(self, epoch: int, first: int, upto: int) -> tuple[bytes, ...]:
        """The device's records from `first` up to but without `upto`; a GAP where the ring has them no more."""
        records: list[bytes] = []
        while first + len(records) < upto:
            page = self.ask(M.JournalRead(epoch=epoch, first=first + len(records), max_records=6))
            assert isinstance(page, M.JournalPage) and page.records
            records += split_records(page.records)
        return tuple(records[: upto - first])

    def await_told(self, kind: type[Message]) -> Message:
        """The next message of a kind that answers nothing."""
        self.told.clear()
        self.pump(lambda: any(isinstance(message, kind) for message in self.told))
        return next(message for message in self.told if isinstance(message, kind))

    def pump(self, until: Callable[[], bool], seconds: float = MOMENT_S) -> None:
        """Send, receive, beat and retry, until a condition holds."""
        last = deadline(seconds)
        while True:
            for frame in self.exchange.take():
                self.channel.send(frame)
            if until():
                return
            assert self.lost is None, self.lost
            now = monotonic()
            assert now < last, "the deadline has passed"
            wake = min(last, self.exchange.next_deadline() or last)
            data = self.channel.receive((wake - now) / SECOND)
            assert data is not None, "the device closed the channel"
            self._take_in(data, monotonic())

    def _take_in(self, data: Any, now: Micros) -> None:
        for happening in [*self.exchange.receive(data, now), *self.exchange.advance(now)]:
            match happening:
                case Linked(welcome):
                    self.welcome = welcome
                case Answered():
                    self._answers.append(happening)
                case Told(message):
                    self.told.append(message)
                case LinkLost():
                    self.lost = happening
                case Denied():
                    raise AssertionError(happening)


@contextlib.contextmanager
def tcp(address: tuple[str, int], *, host_id: int = 1, role: Role = Role.CONTROLLER) -> Iterator[Client]:
    """A host on TCP, without a link as yet."""
    channel = TcpChannel(address)
    with channel.socket:
        yield Client(channel, host_id=host_id, role=role)


@contextlib.contextmanager
def serial_port(path: str, *, host_id: int = 1, role: Role = Role.CONTROLLER) -> Iterator[Client]:
    """A host on a serial port, without a link as yet."""
    channel = SerialChannel(path)
    with channel.port:
        yield Client(channel, host_id=host_id, role=role)
