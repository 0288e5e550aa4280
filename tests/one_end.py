"""One end of a link in a process of its own, so that two versions of the code can meet: each from its own tree.

    python -m tests.one_end host|device serial|mqtt

It reads pickled steps `(verb, argument)` and writes a pickled `Said` to each: what it has to send, and what happened.
"""

import pickle
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from devicectl.session.link import HostLink
from devicectl.session.procedures import Task, ask
from firmware_sim.device import Device
from protocols.language.enums import Role
from protocols.language.message import REGISTRY, Message
from protocols.language.units import Micros
from protocols.language.version import MINOR
from protocols.link.port import Wire
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, HostWire, Publication
from protocols.serial.wire import SerialWire

TOPICS: Final = DeviceTopics("site", "device")
CLIENT: Final = "me"
NOW: Final = Micros(1_000_000)


class Said(NamedTuple):
    """What an end has to say after a step, in words that do not depend on its version."""

    sent: list[bytes | tuple[Any, ...]]
    happened: list[str]
    linked: bool


class End(Protocol):
    """One end; `happened` is what it has heard of since it was asked last."""

    happened: list[str]

    @property
    def exchange(self) -> Any:
        """Its exchange."""

    def receive(self, data: Any) -> None:
        """Take what the other end sent."""

    def say(self, message: Message) -> None:
        """Ask a command, or tell anything else."""


class HostAlone:
    """The host's end, which asks for a link at once."""

    def __init__(self, wire: Wire[Any]) -> None:
        self.happened: list[str] = []
        self.link = HostLink(
            host_id=5,
            role=Role.CONTROLLER,
            draw_nonce=lambda: 77,
            on_told=lambda message: self.happened.append(f"told {message!r}"),
            on_lost=lambda reason: self.happened.append(f"lost {reason}"),
            wire=wire,
        )
        self._tasks: list[Task[Any]] = []
        self.link.connected(NOW)
        self._tasks.append(self.link.start(self.link.make(), NOW))

    @property
    def exchange(self) -> Any:
        return self.link.exchange

    def receive(self, data: Any) -> None:
        self.link.receive(data, NOW)
        for task in [task for task in self._tasks if task.done]:
            self._tasks.remove(task)
            self.happened.append(f"ended {task.error if task.error is not None else task.result!r}")

    def say(self, message: Message) -> None:
        self._tasks.append(self.link.start(ask(message), NOW))  # type: ignore[arg-type]


class DeviceAlone:
    """The device's end; what happens to it is in what it sends."""

    def __init__(self, make_wire: Callable[[], Wire[Any]]) -> None:
        self.happened: list[str] = []
        self.device = Device(seed=7, now=NOW)
        self.port = self.device.attach("line", make_wire)

    @property
    def exchange(self) -> Any:
        return self.port.exchange

    def receive(self, data: Any) -> None:
        self.device.receive(self.port, data, NOW)

    def say(self, message: Message) -> None:
        self.port.exchange.tell(message, NOW)


def make_end(side: str, wire: str) -> End:
    """One end on a serial or an MQTT wire."""
    if side == "host":
        return HostAlone(SerialWire() if wire == "serial" else HostWire(TOPICS, CLIENT))
    return DeviceAlone(SerialWire if wire == "serial" else lambda: DeviceWire(TOPICS, CLIENT))


def message_of(name: str, fields: dict[str, Any]) -> Message:
    """A message by the name that it has in this tree."""
    return next(model for model in REGISTRY.values() if model.__name__ == name)(**fields)


def main() -> None:
    """Do one step after the other until there are no more."""
    end = make_end(*sys.argv[1:])
    end.happened.append(f"minor {MINOR}")
    steps, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            verb, argument = pickle.load(steps)
        except EOFError:
            return
        if verb == "receive":
            for data in argument:
                end.receive(data if isinstance(data, bytes) else Publication(*data))
        elif verb == "say":
            end.say(message_of(*argument))
        sent = [data if isinstance(data, bytes) else tuple(data) for data in end.exchange.take()]
        pickle.dump(tuple(Said(sent, end.happened[:], end.exchange.linked)), answers)
        answers.flush()
        end.happened.clear()


if __name__ == "__main__":
    main()
