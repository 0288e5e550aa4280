"""Frames that a device must not send, or that a controller must bear, each made beside a right frame of its link.

Law: pure functions of a line. A frame is spoiled in one place, so that its answer tells about that place.
"""

from collections.abc import Callable, Sequence
from typing import Final

from devicectl.conformance.controller.line import Line, Tamper
from devicectl.conformance.controller.tape import Said
from devicectl.conformance.device.wires import frame, header_of, payload_of
from protocols.language import messages as M
from protocols.language.checksum import crc32c
from protocols.language.enums import AlarmPriority, AlarmState, Code, DeviceState
from protocols.language.message import Message
from protocols.language.version import MAJOR
from protocols.serial.framing import pack_crc, pack_header, stuff

Make = Callable[[Line, Said], Sequence[bytes]]

ALARM: Final = M.Alarm(
    code=1101,
    interlock=0,
    priority=AlarmPriority.INFO,
    state=AlarmState.ACTIVE,
    uptime_ms=1,
    sentence="a frame of the test",
)
TELEMETRY: Final = M.TelemetryState(
    uptime_ms=1,
    state=DeviceState.ARMED,
    depth_um=0,
    vacuum_pa=-55_000,
    temperature_mk=300_000,
    canister_ul=0,
    cartridge_cycles=0,
    cell=0,
    flagged=0,
)
UNKNOWN_ID: Final = 0x0EEE
OTHER_MAJOR: Final = 2


def crafted(
    line: Line, message: Message, *, payload: bytes | None = None, flags: int = 0, correlation: int = 0, **parts: int
) -> bytes:
    """Make a frame of the device's in which some part is another one; `parts` are those of the header."""
    body = payload_of(message) if payload is None else payload
    right = header_of(message, line.next_seq(), line.link_id, correlation, flags, len(body))
    first = parts.pop("major", MAJOR) << 4 | parts.pop("kind", right.kind)
    return frame(right._replace(major_and_kind=first, **parts), body)


def put(name: str, make: Make, model: type[Message], number: int = 1) -> Tamper:
    """Put frames in once, behind a message of the device."""
    return Tamper(name, lambda said: not said.by_host and type(said.message) is model, make, skip=number - 1)


def _short(line: Line, said: Said) -> Sequence[bytes]:
    return [crafted(line, ALARM, payload=payload_of(ALARM)[:-1])]


def _nul(line: Line, said: Said) -> Sequence[bytes]:
    payload = bytearray(payload_of(ALARM))
    payload[-1] = ord("x")
    return [crafted(line, ALARM, payload=bytes(payload))]


def _no_utf8(line: Line, said: Said) -> Sequence[bytes]:
    payload = bytearray(payload_of(ALARM))
    payload[9:11] = b"\xc3\x28"
    return [crafted(line, ALARM, payload=bytes(payload))]


def _nan(line: Line, said: Said) -> Sequence[bytes]:
    payload = payload_of(M.ParamGetDone(name="purge_s", value=1.5))
    return [crafted(line, M.ParamGetDone(name="purge_s", value=1.5), payload=payload[:-8] + b"\0\0\0\0\0\0\xf8\x7f")]


def _longer(line: Line, said: Said) -> Sequence[bytes]:
    return [crafted(line, TELEMETRY, payload=payload_of(TELEMETRY) + b"new")]


def bad_crc(line: Line, said: Said) -> Sequence[bytes]:
    """Make a frame whose checksum is wrong."""
    body = payload_of(ALARM)
    header = pack_header(*header_of(ALARM, line.next_seq(), line.link_id, 0, 0, len(body)))
    return [b"\0" + stuff(header + body + pack_crc(crc32c(header + body) ^ 1)) + b"\0"]


def _noise(line: Line, said: Said) -> Sequence[bytes]:
    return [b"\0" + b"\xff\x01\x02" + b"\0", b"\0" + b"\x55" * 300 + b"\0", b"\0\x03\x01\x01\0"]


def _joined(line: Line, said: Said) -> Sequence[bytes]:
    one, other = crafted(line, ALARM, payload=payload_of(ALARM)[:-1]), crafted(line, ALARM, message_id=UNKNOWN_ID)
    return [one + other[1:]]


def other_node(line: Line, said: Said) -> Sequence[bytes]:
    """Make a frame for another node that gets a NAK, by which it is seen that it was taken."""
    return [crafted(line, ALARM, payload=payload_of(ALARM)[:-1], node=9)]


def behind_noise(line: Line, said: Said) -> Sequence[bytes]:
    """Make bytes that are no frame, and behind them in one piece a frame that gets a NAK."""
    return [b"\0\xff\x01\x02\0" + crafted(line, ALARM, payload=payload_of(ALARM)[:-1])]


def wrong_link(line: Line, said: Said) -> Sequence[bytes]:
    """Make a frame of a link that there is not."""
    return [crafted(line, ALARM, link_id=line.link_id ^ 0x5A5A)]


def echo(line: Line, said: Said) -> Sequence[bytes]:
    """Make the command's own heartbeat, as a line brings it back that echoes."""
    return [crafted(line, M.HostHeartbeat())]


def _own_command(line: Line, said: Said) -> Sequence[bytes]:
    return [crafted(line, M.Echo(data=b"own"), correlation=0x7777)]


def _nak(line: Line, said: Said) -> Sequence[bytes]:
    nak = M.Nak(code=Code.E_ARGUMENT, seq=0xEEEE, expected=0, actual=0, sentence="about nothing that was sent")
    return [crafted(line, nak)]


REFUSED: Final[tuple[tuple[str, str, str, Make, tuple[Code, ...]], ...]] = (
    ("short", "PAY-3", "a payload that is too short", _short, (Code.E_ARGUMENT,)),
    ("nul", "PAY-7", "a text with something behind its first NUL", _nul, (Code.E_ARGUMENT,)),
    ("utf8", "PAY-7", "a text that is no UTF-8", _no_utf8, (Code.E_ARGUMENT,)),
    ("nan", "PAY-6", "a number that is none", _nan, (Code.E_ARGUMENT, Code.E_UNKNOWN_MESSAGE)),
    (
        "unknown",
        "PAY-11",
        "a message that nobody knows",
        lambda line, said: [crafted(line, ALARM, message_id=UNKNOWN_ID)],
        (Code.E_UNKNOWN_MESSAGE,),
    ),
    (
        "must-understand",
        "FRM-14",
        "a flag that must be understood",
        lambda line, said: [crafted(line, ALARM, flags=0x10)],
        (Code.E_UNSUPPORTED,),
    ),
    (
        "major",
        "FRM-16",
        "a frame of another major",
        lambda line, said: [crafted(line, ALARM, major=OTHER_MAJOR)],
        (Code.E_VERSION,),
    ),
    ("link", "LNK-17", "a frame of another link", wrong_link, (Code.E_LINK,)),
)
"""Good frames that cannot be taken: name, rule, title, frames, and the codes of a right NAK."""

BORNE: Final[tuple[tuple[str, str, str, Make], ...]] = (
    ("crc", "FRM-8", "a wrong checksum", bad_crc),
    ("noise", "FRM-8", "bytes that are no frame", _noise),
    ("ignorable", "FRM-15", "a flag that is ignorable", lambda line, said: [crafted(line, ALARM, flags=0x40)]),
    ("longer", "PAY-9", "bytes behind the known fields", _longer),
    ("echo", "LNK-20", "its own heartbeat, come back", echo),
    ("command", "LNK-20", "a command, which only a host sends", _own_command),
    ("nak", "FRM-18", "a NAK about nothing", _nak),
)
"""Frames and noise to be passed over, or taken, without an answer."""
JOINED: Final[Make] = _joined
"""Two frames with one zero between them, each of which gets a NAK."""
