"""State of one end's link, and the sending of frames on it.

Law: it decides nothing. An end says what is sent, and when the link begins and ends. It is a class of its own, and not
a part of what both ends inherit, since the interpreter is quicker where a method always meets the same class.
"""

from typing import Final, Generic

from protocols.language.message import Message
from protocols.language.units import Micros
from protocols.link.line import NO_LINE
from protocols.link.pace import IDLE_PACE
from protocols.link.port import Data, Wire
from protocols.link.statistics import Statistics

NOBODY: Final = -1
"""No link id of a frame: what an end listens to while it has no link."""


class LinkState(Generic[Data]):
    """Ids, numbers and times of one link. `outbox` is what is to be sent, in order.

    `listens_to` is the link id whose frames are taken: `link_id`, but for the rest of a piece of bytes in which the
    link was lost or is to be replaced.
    """

    def __init__(self, wire: Wire[Data]) -> None:
        self.outbox: Final[list[Data]] = []
        self.statistics = Statistics()
        self.link_id = 0
        self.listens_to = NOBODY
        self.pace = IDLE_PACE
        self.seq = 0
        self.last_sent = Micros(0)
        self.last_heard = Micros(0)
        self._encode = wire.encode
        self._line = wire.line

    def take(self) -> list[Data]:
        """Empty the outbox; returns what it held, in order."""
        taken = self.outbox.copy()
        self.outbox.clear()
        return taken

    def send(self, message: Message, now: Micros, correlation_id: int = 0, flags: int = 0) -> None:
        """Send a new frame on this link."""
        seq = self.seq + 1 & 0xFFFF
        data = self._encode(message, seq, self.link_id, correlation_id, flags)
        self.seq = seq  # not before: what cannot be encoded uses up no number
        self.last_sent = now
        self.outbox.append(data)
        self.statistics.frames_sent += 1
        if self._line is not NO_LINE:
            self._line.sent(len(data), now)

    def post(self, message: Message, now: Micros, seq: int, link_id: int, correlation_id: int, flags: int) -> None:
        """Send an old frame again, or one of another link, which the peer of this link does not hear."""
        data = self._encode(message, seq, link_id, correlation_id, flags)
        # An answer to a stranger is no sign of life for the peer: it must not put the next heartbeat off.
        if link_id == self.link_id:
            self.last_sent = now
        self.outbox.append(data)
        self.statistics.frames_sent += 1
        if self._line is not NO_LINE:
            self._line.sent(len(data), now)

    def begin(self, link_id: int, now: Micros) -> None:
        """Begin a link."""
        self.link_id = self.listens_to = link_id
        self.last_heard = now  # The lease runs from here; the numbers of frames go on from link to link.

    def end(self) -> None:
        """End the link, or begin to have none."""
        self.link_id = 0
        self.listens_to = NOBODY
        self.pace = IDLE_PACE

    def next_deadline(self) -> Micros | None:
        """Return the time of the next heartbeat, or of the lease's end if that is earlier; None without a link."""
        if not self.link_id:
            return None
        pace = self.pace
        beat = self.last_sent + pace.heartbeat_us
        if pace.lease_us:
            expiry = self.last_heard + pace.lease_us
            # Not `min`: this runs for every frame, and a call for two numbers costs more than comparing them.
            if expiry < beat:
                return Micros(expiry)
        return Micros(beat)
