"""The serial wire: what the exchange sends and receives, as frames in a stream of bytes.

Law: this is the only thing the exchange knows of bytes. Another wire offers the same two methods over whatever it
carries (`Wire`), and the exchange above it stays the same.
"""

import struct
from collections.abc import Callable
from typing import ClassVar, Final

from protocols.language.checksum import crc32c
from protocols.language.enums import Code
from protocols.language.errors import MessageError
from protocols.language.layouts import LAYOUTS
from protocols.language.message import REGISTRY
from protocols.language.structs import Struct
from protocols.language.version import MAJOR
from protocols.link.header import HEADER_SIZE, Header, fill, kind_name
from protocols.link.line import NO_LINE
from protocols.link.port import BadFrame, Envelope, Problem, sentence
from protocols.serial.diagnosis import Heard
from protocols.serial.framing import (
    CRC_SIZE,
    MAX_ENCODED_SIZE,
    RESIDUE,
    DecodeError,
    FrameDecoder,
    unpack_header,
    unstuff,
)
from protocols.serial.line import BaudLine
from protocols.serial.payload import decode_message, encode_message


class SerialWire:
    """Frames over bytes."""

    beats_at_once: ClassVar[bool] = False

    def __init__(self, baud: int = 0) -> None:
        self.line: Final = BaudLine(baud) if baud else NO_LINE
        self.heard = Heard()
        self.encode: Final = encode_message
        """Makes one whole frame: the function itself, which spares each frame a call."""
        self._decoder = FrameDecoder()

    def feed(self, data: bytes) -> list[Envelope | BadFrame]:
        """Everything that `data` completes, in order; linear in its length."""
        decoder = self._decoder
        if data.count(0) == 2 and data[0] == 0 == data[-1] and not decoder.kept and not decoder.discarding:
            whole = _whole_frame(data)
            if whole is not None:
                return [whole]
        found: list[Envelope | BadFrame] = []
        items = decoder.feed(data)
        self.heard.note(data, items, decoder.kept)
        for item in items:
            if isinstance(item, BadFrame):
                found.append(item)
                continue
            try:
                message = decode_message(item)
            except MessageError as error:
                found.append(Envelope(item.header, None, Problem(Code.E_ARGUMENT, sentence(str(error)))))
                continue
            problem = None if message is not None else _unknown(item.header)
            found.append(Envelope(item[0], message, problem))
        return found


class _Decoders(dict[int, Callable[[bytes], Struct] | None]):
    """Major, kind and message id, as `first << 16 | id` -> what decodes the payload; None for what is not known."""

    def __missing__(self, key: int) -> Callable[[bytes], Struct] | None:
        model = REGISTRY.get((key >> 16 & 0x0F, key & 0xFFFF)) if key >> 20 == MAJOR else None
        made = None if model is None else LAYOUTS[model].decode
        if made is not None:  # what a peer makes up is not kept
            self[key] = made
        return made


_decoders: Final = _Decoders()


def _whole_frame(data: bytes) -> Envelope | None:
    """The message in one whole frame with its two zeros, in one go, as nearly all that come are.

    None where anything about it is not as it should be: then the long way finds out what.
    """
    try:
        body = unstuff(data[1:-1])
        if len(data) > _MAX_FRAME_SIZE or crc32c(body) != RESIDUE:
            return None
        fields = unpack_header(body)
        if fields[7] != len(body) - _AROUND_PAYLOAD:
            return None
        decode = _decoders[fields[0] << 16 | fields[2]]
        if decode is None:
            return None
        return fill(Envelope, (fill(Header, fields), decode(body[HEADER_SIZE:-CRC_SIZE]), None))
    except (DecodeError, struct.error, MessageError):
        return None


_AROUND_PAYLOAD: Final = HEADER_SIZE + CRC_SIZE
_MAX_FRAME_SIZE: Final = MAX_ENCODED_SIZE + 2


def _unknown(header: Header) -> Problem:
    text = f"{kind_name(header.kind)} message 0x{header.message_id:04x} is not known to this version"
    return Problem(Code.E_UNKNOWN_MESSAGE, text)
