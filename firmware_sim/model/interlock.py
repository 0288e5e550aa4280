"""Parts of an interlock's row: its alarms, its parameters and, where it is one on a reading, its limit."""

from dataclasses import dataclass
from typing import Literal

from firmware_sim.model.parameter import Parameter
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import AlarmPriority

Reading = Literal["canister_fill", "cartridge_cycles", "temperature_c"]
"""Reading that a limit can be set on: see `firmware_sim.safety.limits`."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One alarm that can be raised; `sentence` is at most 120 bytes of UTF-8.

    `latched`: it stays after its cause has gone, until a reset. `of_session`: its cause is of one session's skin, line
    and count, so that it goes with the session.
    """

    code: int
    priority: AlarmPriority
    sentence: str
    latched: bool = False
    of_session: bool = False

    @property
    def interlock(self) -> int:
        """Number of the interlock that raises it."""
        return self.code // 100

    @property
    def label(self) -> str:
        """The code as people read it, such as MC-1501."""
        return alarm_label(self.code)


@dataclass(frozen=True, slots=True)
class Limit:
    """Two values of a reading: from `warn` on there is the first alarm, from `stop` on the second and no new cycle.

    `warn` and `stop` name parameters. `says` is the refusal's sentence, made of `{value}` and `{stop}`.
    """

    reading: Reading
    warn: str
    stop: str
    says: str


@dataclass(frozen=True, slots=True)
class Interlock:
    """One rule: the hazard it guards against, and the device's reaction, with its parameters' defaults in `{name}`.

    `built` marks those that this version has; the numbers of the others are kept for them. An interlock with a `limit`
    has two alarms: the one that warns, then the one that stops.
    """

    number: int
    name: str
    hazard: str
    reaction: str
    alarms: tuple[AlarmRule, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    limit: Limit | None = None
    built: bool = True

    @property
    def told(self) -> str:
        """The reaction with the defaults in it."""
        return self.reaction.format(**{parameter.name: parameter.default for parameter in self.parameters})
