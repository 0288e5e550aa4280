"""What the figures are held to: `make bench` fails where one is not met.

Law: a target is on a figure of the results as they are written, most of them on a ratio within one run, since machines
differ and are busy; the median of the rounds counts.
"""

from typing import Any, Final, NamedTuple

Results = dict[str, Any]


class Target(NamedTuple):
    """The figure at `path` of the results is bounded by `most` or `least`; `aim` is what we would like it to be."""

    what: str
    path: tuple[str, ...]
    most: float | None = None
    least: float | None = None
    aim: float | None = None

    def find(self, results: Results) -> float | None:
        """The figure; None where it was not measured."""
        found: Any = results
        for key in self.path:
            found = found.get(key) if isinstance(found, dict) else None
        return None if found is None else float(found)

    def met(self, figure: float | None) -> bool:
        """Whether a figure is within the bound; one that was not measured is within none."""
        if figure is None:
            return self.most is None and self.least is None
        return (self.most is None or figure <= self.most) and (self.least is None or figure >= self.least)


_ECHO: Final = ("servers", "round_trips_of_ours")
_START: Final = ("servers", "first_answer_s")
TARGETS: Final = (
    Target("default session over the floor", ("session", "session_of_floor", "median"), most=4.0, aim=2.0),
    Target("`devicectl run`, start to exit, over the floor", ("session", "command_of_floor", "median"), aim=4.0),
    Target("encode over pymavlink", ("codec", "ratios", "pymavlink/encode", "median"), least=3.0, aim=4.0),
    Target("decode over pymavlink", ("codec", "ratios", "pymavlink/decode", "median"), least=2.0, aim=4.0),
    Target("ECHO over TCP over bare asyncio", (*_ECHO, "bare asyncio echo/tcp"), least=0.6, aim=0.8),
    Target("ECHO over TCP over sinstruments", (*_ECHO, "sinstruments/tcp"), aim=1.0),
    Target("ECHO over TCP over lewis", (*_ECHO, "lewis/tcp"), aim=1.0),
    Target("`serve --tcp` to first answer, s", (*_START, "firmware-sim/tcp", "median"), most=0.5),
    Target("`serve --pty` to first answer, s", (*_START, "firmware-sim/pty", "median"), most=0.5),
    Target("1 MiB of garbage before a good frame, s", ("codec", "garbage", "most"), most=0.5),
    Target("MQTT: command to DONE less the motion, ms", ("mqtt", "ms", "motion", "median"), most=5.0),
    Target("MQTT: the same over a bare round trip", ("mqtt", "of_bare", "motion"), most=2.5),
    Target("`sessions list` of 100 sessions over an empty log", ("lists", "of_empty", "100", "median"), most=1.3),
    Target("the same of 10,000 sessions", ("lists", "of_empty", "10,000", "median"), most=2.0),
    Target("the same of 10,000, all of them listed", ("lists", "of_empty", "10,000, all", "median"), aim=2.0),
    Target("pytest collects with the plugin over without", ("plugin", "ratio", "median"), most=1.1),
)


def judge(results: Results) -> list[tuple[Target, float | None, bool]]:
    """Each target, what was measured, and whether its bound is met."""
    figures = [(target, target.find(results)) for target in TARGETS]
    return [(target, figure, target.met(figure)) for target, figure in figures]
