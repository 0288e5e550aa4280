"""Options of Telnet: what each end of a connection does, asked for and agreed on, without going in circles.

How it works: an option is off at the beginning. `ask` sends WILL or DO, and the peer's word settles it. A peer's own
WILL or DO is agreed to where the option is wanted, and else refused. A word that changes nothing is not answered, so
that two ends which confirm each other's words come to an end.

Law: pure. One answer at most for each word of the peer.
Source: RFC 854; the states are those of RFC 1143, without its queues, since nothing is asked for twice.
"""

from collections.abc import Collection
from enum import Enum, IntEnum, auto
from typing import Final

from protocols.telnet.codec import Negotiation, Verb, negotiate


class Option(IntEnum):
    """Options that a serial port needs, by their assigned numbers; and the one that is refused by name."""

    BINARY = 0
    """All values of a byte are data: else an end of line may be changed on its way."""
    ECHO = 1
    SUPPRESS_GO_AHEAD = 3
    COM_PORT = 44
    """RFC 2217: settings and lines of a serial port."""


class State(Enum):
    """State of one option at one end."""

    OFF = auto()
    ASKED = auto()
    """This end has asked for it, and the peer has not answered."""
    ON = auto()
    REFUSED = auto()
    """The peer has said no to it."""


class Options:
    """Options of one connection: `ours` this end does, `theirs` the peer does."""

    def __init__(self, ours: Collection[int], theirs: Collection[int]) -> None:
        """Agree to `ours` and `theirs` where the peer asks for them, and to nothing else."""
        self._wanted = {Verb.DO: frozenset(ours), Verb.WILL: frozenset(theirs)}
        self._states: dict[tuple[Verb, int], State] = {}
        """By the verb with which the peer agrees: DO for what this end does, WILL for what the peer does."""

    def ask(self, *, ours: Collection[int] = (), theirs: Collection[int] = ()) -> bytes:
        """Offer to do `ours`, and ask the peer to do `theirs`; the bytes for it."""
        asked = [(Verb.DO, option) for option in ours] + [(Verb.WILL, option) for option in theirs]
        for key in asked:
            self._states[key] = State.ASKED
        return b"".join(negotiate(_ANSWERS[verb][0], option) for verb, option in asked)

    def ours(self, option: int) -> State:
        """Return how it is with an option that this end would do."""
        return self._states.get((Verb.DO, option), State.OFF)

    def theirs(self, option: int) -> State:
        """Return how it is with an option that the peer would do."""
        return self._states.get((Verb.WILL, option), State.OFF)

    def take(self, word: Negotiation) -> bytes:
        """Take a word of the peer; the bytes of the answer, b"" where none is due."""
        agrees = word.verb in _ANSWERS
        key = (word.verb if agrees else _AGREED[word.verb], word.option)
        yes, no = _ANSWERS[key[0]]
        was = self._states.get(key, State.OFF)
        if agrees:
            if word.option not in self._wanted[key[0]]:
                return negotiate(no, word.option)
            self._states[key] = State.ON
            return b"" if was in (State.ON, State.ASKED) else negotiate(yes, word.option)
        if word.option in self._wanted[key[0]]:  # nothing is kept of options that a peer makes up
            self._states[key] = State.REFUSED
        return negotiate(no, word.option) if was is State.ON else b""


_ANSWERS: Final = {Verb.DO: (Verb.WILL, Verb.WONT), Verb.WILL: (Verb.DO, Verb.DONT)}
"""Verb by which a peer agrees -> what this end says for yes and for no."""
_AGREED: Final = {Verb.DONT: Verb.DO, Verb.WONT: Verb.WILL}
"""Verb by which a peer refuses -> the one by which it would have agreed."""
