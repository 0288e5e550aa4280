"""A scene: one run of the command against a device that misbehaves, as data; and what came of it.

Law: a value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from devicectl.conformance.controller.line import Tamper
from devicectl.conformance.controller.tape import Tape
from devicectl.conformance.outcome import Timing
from protocols.mqtt.wire import Publication

USUAL: Final[Mapping[str, float]] = {
    "needles": 8,
    "anesthesia_wait_s": 0,
    "reposition_mean_s": 0.05,
    "vacuum_tau_s": 0.1,
    "purge_s": 1,
    "heartbeat_idle_ms": 400,
    "lease_idle_ms": 3_000,
    "heartbeat_armed_ms": 300,
    "lease_armed_ms": 1_500,
}
"""Parameters that keep a session short: 30 cores are four cycles. The armed lease is longer than the usual one, since a
command shares its machine with others."""


SLACK_MS: Final = 1_000.0
"""Lateness of the command that is put down to the machine that it shares with others, unless it is given."""


START_LIMIT_S: Final = 20.0
"""Seconds from the start of the command to its HELLO."""


class Speed(StrEnum):
    """Treatment of bytes on their way."""

    WHOLE = "whole"
    CRUMBS = "one byte at a time"


Edit = Callable[[str, Publication], Publication | None]
"""Makes of a topic's name and its publication the one that the command gets; None for none."""


def as_it_is(topic: str, publication: Publication) -> Publication:
    """Return what the device published."""
    return publication


@dataclass(frozen=True, slots=True)
class Scene:
    """One run. `faults` are those of a scenario; `limit_s` is for the whole command; `edit` is for a broker alone."""

    name: str
    faults: Sequence[Mapping[str, object]] = ()
    tampers: Sequence[Tamper] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    speed: Speed = Speed.WHOLE
    limit_s: float = 60.0
    edit: Edit = as_it_is
    greets: bool = True
    """False where a right command says nothing at all."""

    def scenario(self, seed: int) -> dict[str, object]:
        """Return the scenario of the device."""
        parameters = {**USUAL, **self.parameters}
        return {"seed": seed, "start": {"parameters": parameters}, "faults": [dict(fault) for fault in self.faults]}


class End(StrEnum):
    """Way in which the command came to its end."""

    ITSELF = "it ended by itself"
    LIMIT = "it did not end within its limit, and ended at SIGTERM"
    KILLED = "it did not end within its limit, ignored SIGTERM, and was killed"
    NOT_STARTED = "it could not be started"


@dataclass(slots=True)
class Run:
    """One run of the command. `code` is its exit code, negative for a signal; `words` the last line that it said."""

    scene: Scene
    tape: Tape
    end: End = End.ITSELF
    code: int | None = None
    words: str = ""
    output_bytes: int = 0
    seconds: float = 0.0
    unfired: list[str] = field(default_factory=list)
    """Faults and tampers that have changed nothing, each as a sentence."""
    slack_ms: float = SLACK_MS
    timings: list[Timing] = field(default_factory=list)
    """Times that the case which judges has measured."""
    broken: str = ""
    """Reason why the bench could not hold the run; "" where it could."""

    @property
    def told(self) -> str:
        """Return how it ended, in a sentence."""
        if self.end is End.NOT_STARTED:
            return self.words
        code = "" if self.code is None else f"; exit code {self.code}" if self.code >= 0 else f"; signal {-self.code}"
        words = f"; it said last: {self.words}" if self.words else ""
        limit = ""
        if self.end in (End.LIMIT, End.KILLED):
            limit = f" ({self.scene.limit_s:g} s)" if self.tape.greeted else f" ({START_LIMIT_S:g} s for HELLO)"
        return f"{self.end}{limit}{code}{words}"
