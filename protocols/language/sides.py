"""Sender of each message: the end of a link that may send it, by kind, and by message where the kind is LINK.

Law: this is the only table of it. An end to which a message comes that only this end sends hears itself: the line
echoes. Such a frame renews nothing, does nothing and is not answered.
"""

from enum import StrEnum
from typing import Final

from protocols.language.enums import Kind
from protocols.language.message import REGISTRY, Message
from protocols.language.messages import Bye, Heartbeat, Hello, HostHeartbeat, Nak, Welcome
from protocols.language.version import MAJOR


class Side(StrEnum):
    """One end."""

    HOST = "host"
    DEVICE = "device"

    @property
    def other(self) -> "Side":
        """The other end."""
        return Side.DEVICE if self is Side.HOST else Side.HOST


_BY_KIND: Final = {
    Kind.COMMAND: Side.HOST,
    Kind.REPLY: Side.DEVICE,
    Kind.PROGRESS: Side.DEVICE,
    Kind.EVENT: Side.DEVICE,
    Kind.TELEMETRY: Side.DEVICE,
    Kind.ALARM: Side.DEVICE,
    Kind.BULK: None,
}
"""Kind -> the end that alone sends it; None where either may."""
_BY_LINK_MESSAGE: Final[dict[type[Message], Side | None]] = {
    Hello: Side.HOST,
    Welcome: Side.DEVICE,
    Heartbeat: Side.DEVICE,
    HostHeartbeat: Side.HOST,
    Bye: None,
    Nak: None,
}


def only_sender(kind: int, message_id: int) -> Side | None:
    """The end that alone sends such a message; None where either may, or where it is not known."""
    if kind == Kind.LINK:
        model = REGISTRY.get((kind, message_id))
        return None if model is None else _BY_LINK_MESSAGE[model]
    return _BY_KIND[Kind(kind)] if kind in Kind._value2member_map_ else None


def model_key(model: type[Message]) -> int:
    """A message's name in one number, as a header has it: `major_and_kind << 16 | message_id`."""
    return (MAJOR << 4 | model.KIND) << 16 | model.ID


ONLY_SENT_BY: Final = {
    side: frozenset(model_key(model) for model in REGISTRY.values() if only_sender(model.KIND, model.ID) is side)
    for side in Side
}
"""End -> the keys of all messages that it alone sends."""
SENT_BY_EITHER: Final = frozenset(model_key(model) for model in (Bye, Nak))
