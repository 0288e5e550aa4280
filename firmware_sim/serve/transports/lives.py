"""A device's connections to its broker, one after the other: what is said of their ends, and when it is given up.

Law: no I/O and no clock; how long a connection lasted is handed in.
"""

from enum import Enum
from typing import Final

from protocols.language.units import SECOND
from protocols.mqtt.broker import DeniedError, LostError, reason_code
from protocols.mqtt.properties import SESSION_TAKEN_OVER
from protocols.mqtt.properties import why as reason

SHORT_LIFE_US: Final = 1 * SECOND
"""Two devices that throw each other out live for as long as a connection takes, milliseconds; a broker that restarts is
not back so soon."""
MAX_SHORT_LIVES: Final = 10
"""In a row: two devices of one id throw each other out several times a second, and not every broker says why."""
MAX_BIRTHS: Final = 3
"""Tries of the first birth, where the broker lets the device in and throws it out before it is born."""


class NextStep(Enum):
    """Consequence of a connection's end."""

    AGAIN = "try again"
    TELL = "say why it ended, and try again"
    GIVE_UP = "the next one would end the same way"
    TWIN = "so it would: another client has the device's identifier, it seems"


class Lives:
    """The connections of one device. `attempt` is how many in a row were not born."""

    def __init__(self) -> None:
        self.attempt = 0
        self._born = False
        self._short = 0
        self._told = ""

    def ended(self, error: Exception, why: str, *, born: bool, lasted_us: int) -> NextStep:
        """One has ended by `error`, which is `why` in words; `born` tells whether hosts could see the device."""
        quick = lasted_us < SHORT_LIFE_US
        self._born = self._born or born
        self.attempt = 0 if born else self.attempt + 1
        self._short = self._short + 1 if born and quick else 0
        code = reason_code(error)
        if code == SESSION_TAKEN_OVER or (self._short == MAX_SHORT_LIVES and not reason(code)):
            return NextStep.TWIN
        if isinstance(error, DeniedError) or self._short == MAX_SHORT_LIVES:
            return NextStep.GIVE_UP
        if not self._born:
            return self._not_born(error, quick)
        # Nothing new: an attempt fails after a loss that was told, or a short life ends as the one told last did.
        if self.attempt or (self._short and why == self._told):
            return NextStep.AGAIN
        self._told = why
        return NextStep.TELL

    def _not_born(self, error: Exception, quick: bool) -> NextStep:
        if not (quick and isinstance(error, LostError)) or reason(reason_code(error)):
            return NextStep.GIVE_UP
        return NextStep.TWIN if self.attempt == MAX_BIRTHS else NextStep.AGAIN
