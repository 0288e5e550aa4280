"""Recognition of frames that come back to the end that sent them: some lines echo."""

from typing import Final

from protocols.language.message import Message
from protocols.language.sides import ONLY_SENT_BY, SENT_BY_EITHER, Side
from protocols.link.header import Header

REMEMBERED_OWN: Final = 16
"""NAKs and BYEs of this end that are recognized when they come back: a second's NAKs, and some."""


_SUSPECTS: Final = {side: keys | SENT_BY_EITHER for side, keys in ONLY_SENT_BY.items()}


class Echoes:
    """Messages of one end. `suspects` are the keys of all messages that it may have sent itself (`sides.model_key`)."""

    __slots__ = ("_lately", "_own", "suspects")

    def __init__(self, side: Side) -> None:
        self.suspects: Final = _SUSPECTS[side]
        self._own: Final = ONLY_SENT_BY[side]
        self._lately: list[tuple[Message, int, int, int]] = []

    def is_own(self, key: int, header: Header, message: Message | None) -> bool:
        """Return True for a suspect that this end has sent; for a NAK or BYE only if all of it is the same."""
        if key in self._own:
            return message is not None
        return (message, header.seq, header.link_id, header.correlation_id) in self._lately

    def note(self, message: Message, seq: int, link_id: int, correlation_id: int) -> None:
        """Remember a NAK or BYE that this end sends, since the other end may send the like."""
        self._lately.append((message, seq, link_id, correlation_id))
        del self._lately[:-REMEMBERED_OWN]
