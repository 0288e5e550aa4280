"""Messages as the payloads of serial frames.

Law: a built message is valid, so encoding checks nothing but the length of a tail; what a peer sent is decoded to a
valid message or refused with a MessageError, never to anything between.
"""

import struct
from collections.abc import Callable
from typing import Final, TypeVar

from protocols.language.checksum import crc32c
from protocols.language.layouts import LAYOUTS
from protocols.language.message import REGISTRY, Message
from protocols.language.structs import Struct
from protocols.language.version import MAJOR
from protocols.serial.framing import HEADER_FORMAT, Frame, pack_crc, pack_header, stuff

_Struct = TypeVar("_Struct", bound=Struct)


def decode_payload(model: type[_Struct], payload: bytes) -> _Struct:
    """A message of the class `model` from its payload.

    Raises:
        MessageError: payload and model do not fit; names the field.
    """
    message = LAYOUTS[model].decode(payload)
    assert isinstance(message, model)
    return message


_Body = Callable[[Message, int, int, int, int], bytes]


class _Bodies(dict[type[Message], _Body]):
    """For each message class, what makes header and payload of (message, flags, seq, link id, correlation id)."""

    def __missing__(self, model: type[Message]) -> _Body:
        made = self[model] = _make_body(model)
        return made


def _make_body(model: type[Message]) -> _Body:
    found = LAYOUTS[model]
    first, message_id, size, encode = MAJOR << 4 | model.KIND, model.ID, found.size, found.encode

    def any_body(message: Message, flags: int, seq: int, link_id: int, correlation_id: int) -> bytes:
        payload = encode(message)
        return pack_header(first, flags, message_id, seq, link_id, correlation_id, 0, len(payload)) + payload

    if found.numbers is None:
        return any_body
    pack = struct.Struct(HEADER_FORMAT + found.numbers).pack

    def body_of_numbers(message: Message, flags: int, seq: int, link_id: int, correlation_id: int) -> bytes:
        return pack(first, flags, message_id, seq, link_id, correlation_id, 0, size, *message)

    return body_of_numbers


_bodies: Final = _Bodies()


def encode_message(message: Message, seq: int, link_id: int = 0, correlation_id: int = 0, flags: int = 0) -> bytes:
    """A message as one whole frame with both its zeros, 19 to 243 bytes.

    Raises:
        MessageError: its tail array is too long for one frame.
    """
    body = _bodies[message.__class__](message, flags, seq, link_id, correlation_id)
    # Written out where it is used, since a call is a twentieth of the whole.
    return b"\0%b\0" % stuff(body + pack_crc(crc32c(body)))


def decode_message(frame: Frame) -> Message | None:
    """The message in a frame; None where this version does not know its kind and id.

    Raises:
        MessageError: the payload does not fit the message; names the field.
    """
    header = frame.header
    model = REGISTRY.get((header.major_and_kind & 0x0F, header.message_id))
    if model is None:
        return None
    message = LAYOUTS[model].decode(frame.payload)
    assert isinstance(message, Message)
    return message
