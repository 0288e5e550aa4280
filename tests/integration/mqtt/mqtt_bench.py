"""A device behind a broker that only hands publications over, in virtual time, for tests.

What comes in goes the product's own way: `serve.clients.Clients`, `DeviceWire`, `Device`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from firmware_sim.device import Device
from firmware_sim.ports import Port
from firmware_sim.serve.real_time import RealTimeDevice
from firmware_sim.serve.transports.clients import Clients
from protocols.language.enums import DeviceState
from protocols.language.message import Message
from protocols.language.messages import (
    AnesthesiaConfirm,
    AnesthesiaStart,
    Arm,
    ArmDone,
    Heartbeat,
    Hello,
    HostHeartbeat,
    Progress,
    Punch,
    Received,
    Reposition,
    RepositionDone,
    SessionOpen,
    Welcome,
)
from protocols.language.units import Micros
from protocols.link.header import Header
from protocols.link.port import Wire
from protocols.mqtt.bodies import decode_body
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import HostWire, Publication
from tests.integration.device.device_state import refusals_of, state_of
from tests.unit.protocols.link.exchange_pair import hello

TOPICS = DeviceTopics("bench", "sim-7")
HOLDER = "host-1"
HOLDER_ID = 5
PUNCH = Punch(cycle_no=1, depth_um=2000, deadline_ms=0x7000_0000)
STEP_US = 50_000


class Said(NamedTuple):
    """What the device published, and what it says."""

    publication: Publication
    header: Header
    message: Message

    @property
    def topic(self) -> str:
        """Below the device's own."""
        return "/".join(TOPICS.parse(self.publication.topic) or ())


class Ignored:
    """The trace of what cannot be answered."""

    def __init__(self) -> None:
        self.heard_: list[Publication] = []
        self.is_closed = False

    def heard(self, sender: str, data: Any, now: Micros) -> None:
        self.heard_.append(data)

    def closed(self, now: Micros) -> None:
        self.is_closed = True


class VirtualTimeDevice:
    """What `Clients` asks of a `RealTimeDevice`, at the time that the bench says."""

    places = RealTimeDevice.places

    def __init__(self, device: Device) -> None:
        self.device = device
        self.now = Micros(0)
        self.ignored = Ignored()

    def attach(self, name: str, write: object, make_wire: Callable[[], Wire[Any]]) -> Port:
        return self.device.attach(name, make_wire)

    def detach(self, port: Port) -> None:
        self.device.detach(port, self.now)

    def receive(self, port: Port, data: Any) -> None:
        self.device.receive(port, data, self.now)

    def set_alarm(self, code: int, present: bool) -> None:
        self.device.set_alarm(code, present=present, now=self.now)

    def open_tap(self, name: str) -> Ignored:
        assert name == "mqtt:ignored"
        return self.ignored


class MqttBench:
    """The device ARMED in an open session, held by the client `HOLDER`. `ask` gives the next command of it."""

    def __init__(self) -> None:
        self.device = Device(seed=7)
        self.shell = VirtualTimeDevice(self.device)
        self.turned_away: list[Publication] = []
        self.warnings: list[str] = []
        self.clients = Clients(
            cast(RealTimeDevice, self.shell),
            TOPICS,
            self.turned_away.append,
            self.warnings.append,
            clock=lambda: self.shell.now,
        )
        self.correlation_id = 0
        self.link_id = self.connect(HOLDER, hello(host_id=HOLDER_ID))
        self.port = self.clients.ports[HOLDER]
        self.ask(SessionOpen(target_cores=300, coverage_bp=600, depth_um=2000, zones_cm2=(10,)))
        self.ask(AnesthesiaStart(zone=0, age_s=3000, method="cream"))
        self.ask(AnesthesiaConfirm(zone=0, confirmed_by="test"))
        assert isinstance(self.ask(Arm()), ArmDone)
        assert isinstance(self.ask(Reposition(zone=0, cell=0)), RepositionDone)
        assert self.device.board.state is DeviceState.ARMED

    # --- what is published ---------------------------------------------------------------------------------------

    def lawful(
        self, message: Message, correlation_id: int = 500, *, client: str = HOLDER, link_id: int | None = None
    ) -> Publication:
        """What the product's own host would publish."""
        link_id = self.link_id if link_id is None else link_id
        return HostWire(TOPICS, client).encode(message, 900, link_id, correlation_id, 0)

    def publish(self, publication: Publication, **changes: Any) -> list[Said]:
        """A publication arrives, with other properties where some are given; what the device says at once."""
        self.clients.take(publication._replace(**changes))
        return self.said()

    def said(self) -> list[Said]:
        """What is in the ports' outboxes; each must be a message that this version reads."""
        sent = [publication for port in self.device.ports for publication in port.exchange.take()]
        sent += self.turned_away
        self.turned_away.clear()
        return [_read(publication) for publication in sent]

    def connect(self, client: str, greeting: Hello) -> int:
        """The id of a new link."""
        (said,) = self.publish(self.lawful(greeting, 1, client=client, link_id=0))
        assert isinstance(said.message, Welcome), said
        return said.message.link_id

    def ask(self, command: Message) -> Message:
        """A command from the holder, and its final answer."""
        self.correlation_id += 1
        answers = self._answers(self.publish(self.lawful(command, self.correlation_id)))
        while not answers or isinstance(answers[-1], (Received, Progress)):
            answers += self._answers(self.wait())
        return answers[-1]

    def _answers(self, said: list[Said]) -> list[Message]:
        return [one.message for one in said if one.header.correlation_id == self.correlation_id]

    def wait(self, microseconds: int = STEP_US, *, beat: bool = True) -> list[Said]:
        """Time passes, the holder beating where it does; what the device says."""
        said, end = [], self.shell.now + microseconds
        while self.shell.now < end:
            self.shell.now = Micros(min(self.shell.now + STEP_US, end))
            if beat:
                self.clients.take(self.lawful(HostHeartbeat()))
            self.device.advance(self.shell.now)
            said += self.said()
        return said

    # --- what is held against it ---------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All of the device that bad input must not change."""
        return state_of(self.device, self.port)

    def refusals(self) -> int:
        """REFUSAL records in the journal."""
        return refusals_of(self.device)


def _read(publication: Publication) -> Said:
    header, message, problem = decode_body(publication.body, None, "")
    assert message is not None, problem
    assert not publication.retain and (publication.topic == TOPICS.of("heartbeat")) is isinstance(message, Heartbeat)
    assert publication.response_topic is None
    return Said(publication, header, message)
