"""Sections, tables and lists of a debrief."""

from collections.abc import Iterable, Sequence

from devicectl.station.debrief.markup import Markup, element, joined


def section(title: str, *content: str) -> Markup:
    """Return a section with its heading."""
    return element("section", element("h2", title), *content)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str, class_: str | None = None) -> Markup:
    """Return a table whose first column names its rows; the sentence `empty` where there are none."""
    lines = [_line(row) for row in rows]
    if not lines:
        return element("p", empty, class_="soft")
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in columns)))
    # A wide table is scrolled on a narrow screen by itself, not the page; so the keyboard must reach it.
    return element("div", element("table", head, element("tbody", *lines), class_=class_), class_="wide", tabindex="0")


def _line(row: Sequence[str]) -> Markup:
    first, *others = row
    return element("tr", element("th", first, scope="row"), *(element("td", one) for one in others))


def listing(items: Iterable[str], class_: str | None = None) -> Markup:
    """Return a list."""
    return element("ul", *(element("li", one) for one in items), class_=class_)


def figure(drawing: Markup, *twin: str) -> Markup:
    """Return a drawing above its text twin."""
    return element("figure", drawing, element("figcaption", joined(twin)))
