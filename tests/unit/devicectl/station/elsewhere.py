"""Somebody else's host beside a room of its own: a host of ours that knows nothing of the room but its bytes."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any, Final

from devicectl.campaign.bench import CLIENT, TOPICS
from devicectl.campaign.scenario import MQTT
from devicectl.session.context import Identity
from devicectl.session.engine import Engine, Entry
from devicectl.session.entries import Finish
from devicectl.session.machine import State
from devicectl.session.plan import Operator, Plan
from devicectl.session.procedures import Procedure, Task
from devicectl.station.acts import act_of
from devicectl.station.console.foreign import ForeignConsole
from devicectl.station.lesson import Lesson
from devicectl.station.room import Room
from protocols.capture.contents import encode_data
from protocols.language.enums import CloseReason
from protocols.language.units import MILLISECOND, SECOND, Micros
from protocols.mqtt.wire import HostWire
from protocols.serial.wire import SerialWire
from tests.unit.devicectl.station.rooms import PLAN, a_lesson
from tests.world import IDENTITY

TICK_US: Final = 20 * MILLISECOND
"""Time between two looks at what has come, as of the server's."""
NUMB: Final = PLAN.model_copy(update={"operator": Operator(anesthesia_age_s=1_800)})
"""The plan of the rooms, for somebody who was numbed half an hour ago."""


def a_foreign_lesson(**changes: Any) -> Lesson:
    """A lesson for somebody else's host."""
    return a_lesson(**changes, foreign=True)


def behind_a_broker(**changes: Any) -> Lesson:
    """The same for one behind a broker."""
    return a_foreign_lesson(scenario={"wire": MQTT, **changes})


class _Silent:
    """Sees nothing."""

    def changed(self, before: State, after: State, now: Micros) -> None:
        """No-op."""

    def noted(self, note: object) -> None:
        """No-op."""


class Elsewhere:
    """A room for somebody else's host, and that host: `engine` runs beside it, and they exchange pieces each tick."""

    def __init__(self, room: Room) -> None:
        self.room = room
        wire = HostWire(TOPICS, CLIENT) if room.lesson.scenario.wire == MQTT else SerialWire()
        self.engine = Engine(host_id=99, draw_nonce=lambda: 1, wire=wire, observer=_Silent())
        self.entries: list[Entry] = []
        self._arrived: list[Any] = []
        assert isinstance(room.controller, ForeignConsole)
        self.console = room.controller
        self.console.out = self._arrived.append

    def connect(self) -> None:
        """Open the transport."""
        self.do("host_connected")
        self.engine.link.connected(self.room.now)

    def leave(self) -> None:
        """Close the transport."""
        self.do("host_gone")
        self.engine.link.disconnected("gone", self.room.now)

    def do(self, name: str, **arguments: object) -> None:
        """Do an act of the host now."""
        self.room.do(act_of({"at_us": self.room.now, "name": name, "arguments": arguments}, "host"))

    def tick(self) -> None:
        """Let a tick pass, and pieces go both ways."""
        room, link = self.room, self.engine.link
        room.advance(Micros(room.now + TICK_US))
        arrived, self._arrived[:] = list(self._arrived), []
        for piece in arrived:
            link.receive(piece, room.now)
        if link.transport_up and not self.console.connected:
            link.disconnected("the connection was broken", room.now)
        link.advance(room.now)
        self._log(self.engine.take_entries())
        if sent := link.exchange.take():
            self.send(sent)

    def send(self, pieces: Sequence[Any]) -> None:
        """Send bytes as one act, and each publication as one of its own."""
        if self.console.wire == MQTT:
            for piece in pieces:
                self.do("host_sent", data=b64encode(encode_data(piece)).decode())
        else:
            self.do("host_sent", data=b64encode(b"".join(pieces)).decode())

    def _log(self, entries: list[Entry]) -> None:
        while entries:
            self.entries += entries
            self.engine.logged(len(entries), self.room.now)
            entries = self.engine.take_entries()

    def run(self, procedure: Procedure[Any], at_most_s: float = 60.0) -> Any:
        """Run a procedure of the host to its end."""
        task: Task[Any] = self.engine.link.start(procedure, self.room.now)
        self.wait(lambda: task.done, at_most_s)
        return task.outcome()

    def wait(self, until: Callable[[], bool], at_most_s: float = 60.0) -> None:
        """Let time pass until something is so."""
        limit = self.room.now + round(at_most_s * SECOND)
        while not until():
            assert self.room.now < limit, "it did not come"
            self.tick()

    # --- a session ---------------------------------------------------------------------------------------------------

    def open(self, plan: Plan = NUMB, identity: Identity = IDENTITY) -> None:
        """Connect, link, open a session, and have all zones numb."""
        self.connect()
        self.run(self.engine.connect())
        self.run(self.engine.open_session(plan, identity))
        operator = plan.operator
        self.run(
            self.engine.confirm_anesthesia(operator.anesthesia_method, operator.confirmed_by, operator.anesthesia_age_s)
        )

    def cycle(self) -> Any:
        """Do a cycle, with all that it needs."""
        return self.run(self.engine.next_cycle())

    def close(self) -> Finish:
        """Close the session as aborted, and take leave."""
        self.run(self.engine.close(CloseReason.ABORTED, 0.0))
        self.leave()
        return next(one for one in self.entries if isinstance(one, Finish))


def in_a_session(cycles: int = 0, *, seed: int = 7, **changes: Any) -> Elsewhere:
    """Somebody else's host in a session of its own, with so many cycles behind it."""
    return in_a_session_of(a_foreign_lesson(**changes), cycles, seed=seed)


def in_a_session_of(lesson: Lesson, cycles: int = 0, *, seed: int = 7) -> Elsewhere:
    """The same in a lesson that is given."""
    host = Elsewhere(Room(lesson, seed))
    host.open()
    for _ in range(cycles):
        host.cycle()
    return host
