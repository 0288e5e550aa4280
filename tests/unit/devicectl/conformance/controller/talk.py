"""A line with both of its ends in hand, and a run made of what was said on it."""

from collections.abc import Sequence
from enum import IntEnum
from typing import TypeVar

from devicectl.conformance.controller.line import Line, Tamper
from devicectl.conformance.controller.scene import End, Run, Scene
from devicectl.conformance.controller.tape import Tape
from protocols.language import messages as M
from protocols.language.enums import Role
from protocols.language.message import Message
from protocols.language.units import MILLISECOND, Micros
from protocols.link.header import RETRANSMIT
from protocols.serial.payload import encode_message

_M = TypeVar("_M", bound=Message)

LINK = 5


def empty(model: type[_M], **changes: object) -> _M:
    """A message whose fields are nothing: 0, no text, the first enumerator; but for what is given."""
    nothing = {
        name: next(iter(field.kind)) if issubclass(field.kind, IntEnum) else field.kind()
        for name, field in model.FIELDS.items()
    }
    return model(**{**nothing, **changes})


def a_welcome(**changes: int) -> M.Welcome:
    """A WELCOME of a device without a session, but for what is given."""
    beats = {"heartbeat_idle_ms": 400, "heartbeat_armed_ms": 300, "lease_idle_ms": 2000, "lease_armed_ms": 1500}
    return empty(M.Welcome, **{"link_id": LINK, "minor": 1, "simulated": True, **beats, **changes})


class Talk:
    """Both ends of one line. `says` is the command's, `hears` the device's; each goes on by ten milliseconds."""

    def __init__(self, tampers: Sequence[Tamper] = (), scene: Scene | None = None) -> None:
        self.tape = Tape()
        self.line = Line(self.tape, 0, tampers, {})
        self.scene = Scene("made", tampers=tampers) if scene is None else scene
        self.now = Micros(0)
        self.seq = 0
        self.to_host = b""
        self.to_device = b""

    def says(
        self, message: Message, correlation: int = 0, *, again: bool = False, link: int = LINK, seq: int = 0
    ) -> None:
        """The command sends a message."""
        self.seq += not again
        flags = RETRANSMIT if again else 0
        self.raw_of_host(encode_message(message, seq or self.seq, link, correlation, flags))

    def raw_of_host(self, data: bytes) -> None:
        """The command sends bytes."""
        self.now = Micros(self.now + 10 * MILLISECOND)
        out = self.line.from_host(data, self.now)
        self.to_device += bytes(out.to_device)
        self.to_host += bytes(out.to_host)

    def hears(self, message: Message, correlation: int = 0, *, link: int = LINK) -> None:
        """The device sends a message."""
        self.now = Micros(self.now + 10 * MILLISECOND)
        out = self.line.from_device(encode_message(message, 1, link, correlation), self.now)
        self.to_host += bytes(out.to_host)

    def waits(self, ms: int) -> None:
        """Let time pass, in steps of a tick."""
        for _ in range(ms // 20):
            self.now = Micros(self.now + 20 * MILLISECOND)
            self.to_host += bytes(self.line.tick(self.now).to_host)

    def links(self) -> None:
        """HELLO and WELCOME."""
        hello = M.Hello(
            majors=2, minor=1, role=Role.CONTROLLER, features=0, schema_id=0, host_id=9, max_payload_size=224, nonce=1
        )
        self.says(hello, 1, link=0)
        self.hears(a_welcome(), 1)

    def run(self, end: End = End.ITSELF, code: int = 0) -> Run:
        """What came of it."""
        self.tape.ended = self.now
        return Run(self.scene, self.tape, end, code)
