"""Links of the views, as texts and as QR codes.

Law: pure. A link has its token in its path, where no Referer and no log of this server has it.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import segno

from devicectl.station.server.admission.tokens import Tokens, Who
from devicectl.station.server.control.forms import Code, Link

QUIET: Final = 4
"""Modules of white around a code."""


def link_of(tokens: Tokens, who: Who, base: str) -> Link:
    """Return somebody's link, at the address by which others reach this server."""
    url = f"{base}{tokens.link(who)}"
    return Link(url=url, qr=code_of(url))


def code_of(text: str) -> Code:
    """Return a QR code as the path of an SVG drawing: a rectangle for each run of dark modules."""
    matrix = segno.make(text, error="m", micro=False).matrix
    return Code(size=len(matrix) + 2 * QUIET, d="".join(_run(y, row) for y, row in enumerate(matrix)))


def _run(y: int, row: Sequence[int]) -> str:
    path, x = "", QUIET
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            path += f"M{x} {y + QUIET}h{length}v1h-{length}z"
        x += length
    return path
