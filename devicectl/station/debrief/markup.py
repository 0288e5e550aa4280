"""Markup of pages and drawings, made of elements.

Law: a text is text, whoever wrote it. Only what `element` and `joined` return is markup; all else that is put into an
element is escaped, so that no name, note or sentence of a lesson can become markup.
"""

import re
from collections.abc import Iterable
from html import escape
from typing import Final

_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no document should have: controls, and halves of others."""
_STEERING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of what follows them, beyond the text in which they are."""
UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"
EMPTY: Final = frozenset({"meta", "link", "br", "line", "rect", "circle", "polyline", "path"})
"""Elements without content."""


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: str) -> Markup:
    """Return a text as markup that shows it, and does nothing else."""
    return Markup(escape(_STEERING.sub(UNKNOWN, _NOT_IN_XML.sub(UNKNOWN, value)), quote=True))


def joined(parts: Iterable[str]) -> Markup:
    """Return several parts one after another; those that are no markup are texts."""
    return Markup("".join(part if isinstance(part, Markup) else text(part) for part in parts))


def element(tag: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """Return an element. An attribute is written with - for _, without a _ at its end; one that is None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value if isinstance(value, str) else number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in EMPTY and not children:
        return Markup(f"<{tag}{given}/>")
    return Markup(f"<{tag}{given}>{joined(children)}</{tag}>")


def number(value: float) -> str:
    """Return a number as drawings have it: at most two decimals, and none that say nothing."""
    if not isinstance(value, float):
        return str(value)
    digits = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits
