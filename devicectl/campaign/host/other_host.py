"""Another host: it links at a port of its own, asks for what it may not have, and is gone within the same moment.

    viewer         acknowledges the journal and disarms, which only a controller may; then STOP, which anybody may
    rival          opens a session, sets a parameter and punches, each with values that no device takes
    other_major    speaks another major version
    other_schema   has other layouts of the messages
    newer          sends a message that this version does not know

Law: of all this only the viewer's STOP may be carried out, in whatever state the device is.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from devicectl.campaign.recording import Recording
from firmware_sim.device import Device
from firmware_sim.errors import NvmFileError, PowerLostError
from protocols.capture.packet import JsonObject
from protocols.language import messages as M
from protocols.language.checksum import crc32c
from protocols.language.enums import Kind, Role
from protocols.language.fields import MAX_PAYLOAD_SIZE
from protocols.language.message import Message
from protocols.language.messages.procedure import MAX_TARGET_CORES, MIN_COVERAGE_BP, MIN_DEPTH_UM
from protocols.language.schema import schema_id
from protocols.language.units import Micros
from protocols.language.version import MAJOR, MINOR
from protocols.link.header import REPLY_WANTED
from protocols.link.port import AnyWire, Envelope
from protocols.mqtt.wire import Publication
from protocols.serial.framing import pack_crc, pack_header, stuff

NAME: Final = "other"
VIEWER: Final = "viewer"
_HOST_ID: Final = 99
_NOT_KNOWN: Final = 0x03FF
"""Number of no message."""


class OtherHost:
    """One visit, at the time `now`. It notes what it asks, and what it is answered."""

    def __init__(
        self, device: Device, recording: Recording, device_wire: Callable[[], AnyWire], wire: AnyWire, now: Micros
    ) -> None:
        self._device = device
        self._recording = recording
        self._wire = wire
        self._now = now
        self._port = device.attach(NAME, device_wire)
        self._link_id = self._correlation_id = 0

    def visit(self, who: str) -> None:
        """Do all that a host of that word does; nothing where the device has no power, since nobody answers then."""
        try:
            if self._device.powered:
                _VISITS[who](self)
        except (NvmFileError, PowerLostError):
            self._device.ports.remove(self._port)
            raise
        self._device.detach(self._port, self._now)

    # --- asking ----------------------------------------------------------------------------------------------

    def _link(self, role: Role, *, majors: int = 1 << MAJOR, schema: int = schema_id(MINOR)) -> Message | None:
        """Say HELLO, and return what comes."""
        hello = M.Hello(
            majors=majors,
            minor=MINOR,
            role=role,
            features=0,
            schema_id=schema,
            host_id=_HOST_ID,
            max_payload_size=MAX_PAYLOAD_SIZE,
            nonce=1,
        )
        answer = self._say(hello)
        if isinstance(answer, M.Welcome):
            self._link_id = answer.link_id
        return answer

    def _say(self, message: Message) -> Message | None:
        return self._give(self._encode(message))

    def _encode(self, message: Message) -> bytes | Publication:
        self._correlation_id += 1
        number = self._correlation_id
        piece: bytes | Publication = self._wire.encode(message, number, self._link_id, number, REPLY_WANTED)
        return piece

    def _give(self, piece: bytes | Publication) -> Message | None:
        """Have a piece arrive, and return what answers it."""
        self._device.receive(self._port, piece, self._now)
        heard = [one for data in self._port.exchange.take() for one in self._wire.feed(data)]
        whole = [one for one in heard if isinstance(one, Envelope)]
        return next((one.message for one in whole if one.header.correlation_id == self._correlation_id), None)

    def _ask(self, *commands: Message) -> None:
        for command in commands:
            self._note(command.__class__.__name__, self._say(command))

    def _note(self, asked: str, answer: Message | None) -> None:
        why: JsonObject = {"code": answer.code.name} if isinstance(answer, M.Refused | M.Nak) else {}
        if isinstance(answer, M.Refused) and answer.interlock:
            why["interlock"] = answer.interlock
        self._recording.event("other_host", self._now, asked=asked, answer=answer.__class__.__name__, **why)

    # --- who it is ---------------------------------------------------------------------------------------------

    def _view(self) -> None:
        if isinstance(self._link(Role.VIEWER), M.Welcome):
            self._ask(M.JournalAck(epoch=self._device.nvm.epoch, upto=self._device.nvm.head), M.Disarm(), M.Stop())

    def _compete(self) -> None:
        welcome = self._link(Role.CONTROLLER)
        if not isinstance(welcome, M.Welcome):
            return
        last = welcome.cycle_no
        self._ask(
            M.SessionOpen(
                target_cores=MAX_TARGET_CORES, coverage_bp=MIN_COVERAGE_BP, depth_um=MIN_DEPTH_UM, zones_cm2=(1,)
            ),
            M.ParamSet(name="heartbeat_armed_ms", value=-1.0),
            *(M.Punch(cycle_no=no, depth_um=0, deadline_ms=0) for no in (last + 2, max(0, last - 1), last + 1)),
        )

    def _greet_in_vain(self, majors: int = 1 << MAJOR, schema: int = schema_id(MINOR)) -> None:
        self._note("Hello", self._link(Role.CONTROLLER, majors=majors, schema=schema))

    def _say_what_is_not_known(self) -> None:
        if isinstance(self._link(Role.VIEWER), M.Welcome):
            self._note("a message that is not known", self._give(self._renamed(self._encode(M.Stop()))))

    def _renamed(self, piece: bytes | Publication) -> bytes | Publication:
        """Return the command as one that nobody knows."""
        if isinstance(piece, Publication):
            return piece._replace(topic=f"{piece.topic.rpartition('/')[0]}/fly")
        first, number = MAJOR << 4 | Kind.COMMAND, self._correlation_id
        body = pack_header(first, REPLY_WANTED, _NOT_KNOWN, number, self._link_id, number, 0, 0)
        return b"\0%b\0" % stuff(body + pack_crc(crc32c(body)))


_VISITS: Final[Mapping[str, Callable[[OtherHost], None]]] = {
    VIEWER: OtherHost._view,
    "rival": OtherHost._compete,
    "other_major": partial(OtherHost._greet_in_vain, majors=1 << MAJOR + 1),
    "other_schema": partial(OtherHost._greet_in_vain, schema=schema_id(MINOR) ^ 1),
    "newer": OtherHost._say_what_is_not_known,
}
