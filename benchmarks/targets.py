"""Bounds of the figures: `make bench` fails where one is not met.

Law: a target is on a figure of the results as they are written, most of them on a ratio within one run, since machines
differ and are busy; the median of the rounds counts.
"""

from typing import Any, Final, NamedTuple

Results = dict[str, Any]


class Target(NamedTuple):
    """The figure at `path` of the results is bounded by `most` or `least`; `aim` is what it is meant to become.

    A figure that `may_lack` needs a compiler, valgrind or Chromium: without them it is not measured, and not missed.
    """

    what: str
    path: tuple[str, ...]
    most: float | None = None
    least: float | None = None
    aim: float | None = None
    at_least: bool = False
    """True where more is better; it follows from `least` where there is one."""
    may_lack: bool = False

    def find(self, results: Results) -> float | None:
        """Return the figure; None where it was not measured."""
        found: Any = results
        for key in self.path:
            found = found.get(key) if isinstance(found, dict) else None
        return None if found is None else float(found)

    def met(self, figure: float | None) -> bool:
        """Return true if a figure is within the bound; one that was not measured is not, unless it may lack."""
        if figure is None:
            return self.may_lack or (self.most is None and self.least is None)
        return (self.most is None or figure <= self.most) and (self.least is None or figure >= self.least)

    def reached(self, figure: float | None) -> bool | None:
        """Return true if a figure is as good as the aim; None where there is no aim or no figure."""
        if figure is None or self.aim is None:
            return None
        return figure >= self.aim if self.at_least or self.least is not None else figure <= self.aim


_OURS: Final = ("servers", "round_trips_of_ours")
_COMPILED: Final = ("servers", "round_trips_of_compiled")
_START: Final = ("servers", "first_answer_s")
_GATEWAY: Final = ("gateway", "of_ours")
_MILLIONS: Final = ("instructions", "millions")
_LIST: Final = ("lists", "of_empty")
_SHORT: Final = "100,000 short, all"
TARGETS: Final = (
    Target("default session over the floor", ("session", "session_of_floor", "median"), most=4.0, aim=2.7),
    Target("the same, compiled", ("session", "compiled_of_floor", "median"), most=3.0, aim=1.8, may_lack=True),
    Target("the same in instructions, pure", ("instructions", "over_floor"), most=2.7, aim=2.1, may_lack=True),
    Target("`devicectl run`, start to exit, over the floor", ("session", "command_of_floor", "median"), aim=4.0),
    Target(
        "the same, compiled", ("session", "compiled_command_of_floor", "median"), most=5.0, aim=2.5, may_lack=True
    ),
    Target("`--trace FILE` over a run without", ("session", "traced_of_command", "median"), most=1.4, aim=1.2),
    Target(
        "the same, compiled", ("session", "compiled_traced_of_command", "median"), most=1.6, aim=1.2, may_lack=True
    ),
    Target("sessions of 20 cycles a second and core", ("campaign", "pure", "median"), least=60, aim=90),
    Target("the same, compiled", ("campaign", "compiled", "median"), least=110, aim=160, may_lack=True),
    Target("the same with a log on disk, pure", ("campaign", "pure_logged", "median"), least=40, aim=90),
    Target("the same, compiled", ("campaign", "compiled_logged", "median"), least=50, aim=160, may_lack=True),
    Target("sessions under faults, judged, a second and core", ("trials", "pure", "judged", "median"), aim=50,
           at_least=True),
    Target("the same, compiled", ("trials", "compiled", "judged", "median"), aim=100, at_least=True, may_lack=True),
    Target("the same over those without faults and judges, pure", ("trials", "pure", "ratio", "median"), least=0.5,
           aim=0.6),
    Target("the same, compiled", ("trials", "compiled", "ratio", "median"), least=0.5, aim=0.6, may_lack=True),
    Target("all single faults of 2 cycles, s", ("trials", "pure", "singles_s", "median"), most=20),
    Target("encode over pymavlink", ("codec", "ratios", "pymavlink/encode", "median"), least=3.0, aim=3.6),
    Target("the same, compiled", ("codec", "compiled", "ratios", "pymavlink/encode", "median"), least=3.0, aim=4.0,
           may_lack=True),
    Target("decode over pymavlink", ("codec", "ratios", "pymavlink/decode", "median"), least=2.0, aim=2.9),
    Target("the same, compiled", ("codec", "compiled", "ratios", "pymavlink/decode", "median"), least=2.0, aim=4.0,
           may_lack=True),
    Target("ECHO over TCP over bare asyncio", (*_OURS, "bare asyncio echo/tcp"), least=0.6, aim=0.8),
    Target("the same, compiled, on uvloop", (*_COMPILED, "bare asyncio echo/tcp"), least=0.6, aim=0.85, may_lack=True),
    Target("ECHO over TCP over sinstruments", (*_OURS, "sinstruments/tcp"), aim=1.0, at_least=True),
    Target("the same, compiled, on uvloop", (*_COMPILED, "sinstruments/tcp"), least=0.7, aim=1.0, may_lack=True),
    Target("ECHO over TCP over lewis", (*_OURS, "lewis/tcp"), aim=1.0, at_least=True),
    Target("the same, compiled, on uvloop", (*_COMPILED, "lewis/tcp"), least=0.8, aim=1.0, may_lack=True),
    Target("ECHO by RFC 2217 over the same by TCP", (*_GATEWAY, "firmware-sim/tcp", "median"), least=0.7),
    Target("the same over ser2net before our pseudo-terminal",
           (*_GATEWAY, "ser2net before firmware-sim/pty", "median"), least=1.0, may_lack=True),
    Target("`serve --tcp` to first answer, s", (*_START, "firmware-sim/tcp", "median"), most=0.5),
    Target("`serve --pty` to first answer, s", (*_START, "firmware-sim/pty", "median"), most=0.5),
    Target("`serve --tcp`, start to end, million instructions", (*_MILLIONS, "firmware-sim serve --tcp, start to end"),
           most=850, aim=500, may_lack=True),
    Target("`devicectl --version`, the same", (*_MILLIONS, "devicectl --version"), most=400, may_lack=True),
    Target("`devicectl --help`, the same", (*_MILLIONS, "devicectl --help"), most=400, may_lack=True),
    Target("1 MiB of garbage before a good frame, s", ("codec", "garbage", "most"), most=0.5),
    Target("MQTT: command to DONE less the motion, ms", ("mqtt", "ms", "motion", "median"), most=5.0),
    Target("MQTT: the same over a bare round trip as far apart", ("mqtt", "of_paced", "motion"), most=1.5),
    Target("`sessions list` of 1,000 sessions over an empty log", (*_LIST, "1,000", "median"), most=1.3),
    Target("the same of 10,000 sessions", (*_LIST, "10,000", "median"), most=2.0),
    Target("the same of 10,000, all of them listed", (*_LIST, "10,000, all", "median"), aim=2.0),
    Target("the same of 100,000 short ones, all, s", ("lists", "cpu_s", _SHORT, "median"), most=5.0, aim=1.0),
    Target("its peak memory, MiB (80 MB)", ("lists", "peak_mib", _SHORT), most=76.3),
    Target("a further idle device in a process, KiB", ("idle_device_kib",), most=8.0),
    Target("pytest collects with the plugin over without", ("plugin", "ratio", "median"), most=1.1),
)  # fmt: skip
"""An aim is what the work on speed was asked for. Where it is not reached, the bound is what holds."""


def judge(results: Results) -> list[tuple[Target, float | None, bool]]:
    """Return each target, what was measured, and true where its bound is met."""
    figures = [(target, target.find(results)) for target in TARGETS]
    return [(target, figure, target.met(figure)) for target, figure in figures]
