"""Time that frames take on their way: none, unless a wire knows better."""

from protocols.language.message import Message
from protocols.language.units import Micros
from protocols.link.header import Header


class Line:
    """A line whose speed is not known, or is no matter: every time is 0. `serial.line.BaudLine` is one with a speed."""

    def sent(self, size: int, now: Micros) -> None:
        """A frame of `size` bytes goes out behind all that is still going out."""

    def out_us(self, now: Micros) -> int:
        """Microseconds until all that was sent has gone out."""
        return 0

    def answer_us(self, command: Message) -> int:
        """Microseconds that the longest answer may take, with what may come before it."""
        return 0

    def in_us(self, header: Header) -> int:
        """Microseconds that a received frame was under way."""
        return 0


NO_LINE = Line()
"""For wires without a speed: it keeps nothing, so that all can share it."""
