"""A chart of quantities over the time of a lesson, and the same in words."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from devicectl.station.debrief.drawings.axis import LEFT, RIGHT, WIDTH, Axis, clock, draw_time, round_marks, time_axis
from devicectl.station.debrief.markup import Markup, element, number

LINES: Final = ("first", "second", "third")
"""Classes of the lines: they differ by dashes and width, and by color only besides."""
_HEIGHT: Final = 220
_TOP: Final = 34
_BOTTOM: Final = _HEIGHT - 22
_LEGEND_WIDTH: Final = 190


class Series(NamedTuple):
    """A quantity by time. Where it was not known, its value is None and its line is broken."""

    name: str
    points: Sequence[tuple[int, float | None]]


class Limit(NamedTuple):
    """A value that matters, drawn across."""

    name: str
    value: float


class Chart(NamedTuple):
    """Quantities of one unit."""

    unit: str
    series: Sequence[Series]
    lasts_us: int
    limits: Sequence[Limit] = ()

    @property
    def values(self) -> list[float]:
        """All values that are known, and those of the limits."""
        known = [value for one in self.series for _, value in one.points if value is not None]
        return [*known, *(limit.value for limit in self.limits)]


def draw_chart(chart: Chart) -> Markup:
    """Return the chart; what it shows is said by `say_chart`, so that a screen reader passes over it."""
    marks = round_marks(min([0.0, *chart.values]), max([1.0, *chart.values]))
    across, up = time_axis(chart.lasts_us), Axis(marks[0], marks[-1], _BOTTOM, _TOP)
    return element(
        "svg",
        draw_time(across, _TOP, _BOTTOM),
        *(_mark(up.place(value), value, chart.unit) for value in marks),
        *(_limit(limit, up) for limit in chart.limits),
        *(_line(one, style, across, up) for one, style in zip(chart.series, LINES, strict=False)),
        *(_legend(one.name, style, place) for place, (one, style) in enumerate(zip(chart.series, LINES, strict=False))),
        viewBox=f"0 0 {WIDTH} {_HEIGHT}",
        aria_hidden="true",
        class_="chart",
    )


def _mark(y: float, value: float, unit: str) -> Markup:
    return element(
        "g",
        element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"),
        element("text", f"{number(value)} {unit}", x=LEFT - 8, y=y + 4, class_="mark end"),
    )


def _limit(limit: Limit, up: Axis) -> Markup:
    y = up.place(limit.value)
    return element(
        "g",
        element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="limit"),
        element("text", limit.name, x=WIDTH - RIGHT, y=y - 4, class_="mark end"),
    )


def _line(series: Series, style: str, across: Axis, up: Axis) -> Markup:
    runs: list[list[str]] = [[]]
    for at_us, value in series.points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{number(across.place(at_us))},{number(up.place(value))}")
    lines = (element("polyline", points=" ".join(run), class_=f"line {style}") for run in runs if run)
    return element("g", *lines)


def _legend(name: str, style: str, place: int) -> Markup:
    x = LEFT + place * _LEGEND_WIDTH
    return element(
        "g",
        element("line", x1=x, x2=x + 26, y1=14, y2=14, class_=f"line {style}"),
        element("text", name, x=x + 32, y=18, class_="mark"),
    )


def say_chart(chart: Chart) -> str:
    """Return the same in words: a sentence for each line, and for each limit."""
    said = [_say_series(one, chart.unit) for one in chart.series]
    said += [f"{_begun(limit.name)}: {number(limit.value)} {chart.unit}." for limit in chart.limits]
    return " ".join(said)


def _begun(name: str) -> str:
    """Return a name as a sentence begins."""
    return name[:1].upper() + name[1:]


def _say_series(series: Series, unit: str) -> str:
    name = _begun(series.name)
    known = [(at_us, value) for at_us, value in series.points if value is not None]
    if not known:
        return f"{name}: never known."
    values = [value for _, value in known]
    first, last = (f"{number(value)} {unit} at {clock(at_us)}" for at_us, value in (known[0], known[-1]))
    if min(values) == max(values):
        return f"{name}: {number(values[0])} {unit} all the time."
    low, high = (next(one for one in known if one[1] == value) for value in (min(values), max(values)))
    between = " and ".join(
        f"{which} {number(value)} {unit} at {clock(at_us)}"
        for which, (at_us, value) in (("lowest", low), ("highest", high))
        if value not in (values[0], values[-1])
    )
    return f"{name}: {first}, {last}" + (f"; {between}." if between else ".")
