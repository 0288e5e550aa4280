"""A probe without a device: time and pieces are given by hand, and what a case yields is seen."""

from collections.abc import Callable
from typing import Any, TypeVar

from devicectl.conformance.device.ground import Ground
from devicectl.conformance.device.link import Link
from devicectl.conformance.device.probe import Effect, Open, Steps, Until
from devicectl.conformance.device.wires import BytesWire
from protocols.language.enums import DeviceState, Role
from protocols.language.message import Message
from protocols.language.messages import Hello, Welcome
from protocols.language.units import Micros
from protocols.serial.payload import encode_message

_T = TypeVar("_T")

LINK_ID = 9


def a_ground(slack_ms: float = 0.0) -> Ground:
    """Make a ground with channel 0 open."""
    ground = Ground(lambda channel: BytesWire(), seed=1, slack_ms=slack_ms, boot_ms=3_000)
    ground.probe.opened(0)
    return ground


def a_welcome(**changed: object) -> Welcome:
    """Make a WELCOME of an idle simulator."""
    values: dict[str, Any] = {
        **dict.fromkeys(Welcome.FIELDS, 0),
        "link_id": LINK_ID,
        "minor": 1,
        "role": Role.CONTROLLER,
        "heartbeat_armed_ms": 200,
        "lease_armed_ms": 600,
        "heartbeat_idle_ms": 5_000,
        "lease_idle_ms": 15_000,
        "state": DeviceState.IDLE,
        "simulated": True,
        "model_version": "1",
        **changed,
    }
    return Welcome(**values)


Answers = Callable[[Message, int], list[Message]]
"""Message of the host and its correlation id -> what the device says to it."""


class Scripted:
    """A device that says what a test has it say, at once; `drive` runs steps on it."""

    def __init__(self, ground: Ground, answers: Answers) -> None:
        self.ground = ground
        self.answers = answers
        self.heard: list[Message] = []
        self.seq = 0
        self.effects: list[Effect] = []
        self._wire = BytesWire()

    def drive(self, steps: Steps[_T]) -> _T:
        """Run steps to their end; a wait passes at once where nothing comes."""
        try:
            effect = next(steps)
            while True:
                self.effects.append(effect)
                if isinstance(effect, Open):
                    self.ground.probe.opened(effect.channel)
                elif isinstance(effect, Until) and not self._answer():
                    self.ground.probe.now = Micros(max(self.ground.probe.now, effect.due))
                effect = steps.send(None)
        except StopIteration as stop:
            result: _T = stop.value
            return result

    def _answer(self) -> bool:
        probe, said = self.ground.probe, False
        pieces, probe.outbox[:] = list(probe.outbox), []
        for channel, piece in pieces:
            for item in self._wire.feed(piece):
                if item.header is None or item.message is None:
                    continue
                self.heard.append(item.message)
                for answer in self.answers(item.message, item.header.correlation_id):
                    said = True
                    self.seq += 1
                    probe.heard(channel, self._encode(answer, item.header.correlation_id))
        return said

    def _encode(self, answer: Message, correlation: int) -> bytes:
        return encode_message(answer, self.seq, LINK_ID, correlation)


def welcomes(message: Message, correlation: int) -> list[Message]:
    """Answer HELLO and nothing else."""
    return [a_welcome(nonce=message.nonce)] if isinstance(message, Hello) else []


def a_link(ground: Ground) -> Link:
    """Make the link that a WELCOME would have made."""
    scripted = Scripted(ground, welcomes)
    return scripted.drive(ground.open_link())
