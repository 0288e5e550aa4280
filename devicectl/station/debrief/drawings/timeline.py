"""A timeline: a row for each thing that lasted or was done, all over one time. Its text twin is the table beside it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from devicectl.station.debrief.drawings.axis import LEFT, RIGHT, WIDTH, Axis, draw_time, time_axis
from devicectl.station.debrief.markup import Markup, element

_ROW: Final = 17
_HEAD: Final = 19
_MIN_WIDTH: Final = 2.5
_MAX_NAME: Final = 22
"""Characters of a row's name that have room; the table has all of it."""


class Row(NamedTuple):
    """One thing, and from when to when it was. What has no length was done at a moment."""

    name: str
    spans: Sequence[tuple[int, int]]
    style: str = ""


class Lane(NamedTuple):
    """Rows of one kind."""

    name: str
    rows: Sequence[Row]


def draw_timeline(lanes: Sequence[Lane], lasts_us: int) -> Markup:
    """Return the drawing; lanes without a row are left out."""
    across, y = time_axis(lasts_us), 4.0
    drawn: list[Markup] = []
    for lane in (one for one in lanes if one.rows):
        drawn.append(element("text", lane.name, x=4, y=y + 13, class_="lane"))
        y += _HEAD
        for row in lane.rows:
            drawn.append(_draw_row(row, across, y))
            y += _ROW
        y += 4
    return element(
        "svg",
        draw_time(across, 4, y),
        *drawn,
        viewBox=f"0 0 {WIDTH} {y + 22:.0f}",
        aria_hidden="true",
        class_="timeline",
    )


def _draw_row(row: Row, across: Axis, y: float) -> Markup:
    return element(
        "g",
        element("text", _shortened(row.name), x=LEFT - 6, y=y + 12, class_="mark end"),
        element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y + 8, y2=y + 8, class_="grid"),
        *(_draw_span(span, row.style, across, y) for span in row.spans),
    )


def _draw_span(span: tuple[int, int], style: str, across: Axis, y: float) -> Markup:
    begins, ends = map(across.place, span)
    if span[0] == span[1]:
        return element("circle", cx=begins, cy=y + 8, r=4, class_=f"moment {style}".rstrip())
    width = max(_MIN_WIDTH, ends - begins)
    return element("rect", x=begins, y=y + 3, width=width, height=10, class_=f"span {style}".rstrip())


def _shortened(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"
