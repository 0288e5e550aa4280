"""URLs and options as text, alike at both ends: what of a wrong one may be shown, its options, and its numbers.

Law: pure. Of a URL that is wrong nothing is shown beyond its scheme: a slash that is lost or an `@` in a password puts
a secret where any other part is expected.
"""

import math
import re
from typing import Final
from urllib.parse import unquote

MAX_OPTIONS: Final = 100
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+._-]{0,30}(?=://)")
_USER: Final = re.compile(r"(\w:)/{0,3}[^\s'\"]*@")
_URL: Final = re.compile(r"[^\s('\"]*(?:[:@?]\S|//).*", re.DOTALL)
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?\Z")
_WHOLE: Final = re.compile(r"-?[0-9]{1,30}\Z")


def scheme_of(text: str) -> str:
    """A URL's scheme in small letters, "" where it begins with none."""
    found = _SCHEME.match(text)
    return found[0].lower() if found is not None else ""


def show_scheme(text: str) -> str:
    """Show no more of a wrong URL than its scheme: `mqtt://...`."""
    scheme = scheme_of(text)
    return f"{scheme}://..." if scheme else "..."


def hide_users(text: str) -> str:
    """A sentence without the users and passwords of URLs in it, in case a value went to another option than meant."""
    return _USER.sub(r"\1//...@", text)


def hide_urls(text: str) -> str:
    """A sentence up to the first word that may be a URL, for words of a command line that nobody asked for."""
    return _URL.sub(lambda found: show_scheme(found[0]), text)


def split_options(query: str) -> list[tuple[str, str]]:
    """Names and values of `name=value&name=value`; unlike in a form, a `+` is a `+`.

    Raises:
        ValueError: it is not that, a name is empty, or there are more than `MAX_OPTIONS`.
    """
    if not query:
        return []
    pairs = [pair.partition("=") for pair in query.split("&")]
    if len(pairs) > MAX_OPTIONS or not all(name and equals for name, equals, _ in pairs):
        raise ValueError("not name=value&name=value")
    return [(unquote(name), unquote(value)) for name, _, value in pairs]


def parse_number(text: str) -> float | None:
    """A finite decimal number; None where it is none. No other digits than 0 to 9, and nothing between them."""
    if not _NUMBER.match(text) or not math.isfinite(float(text)):
        return None
    return float(text)


def parse_whole(text: str) -> int | None:
    """A whole number of at most 30 digits; None where it is none."""
    return int(text) if _WHOLE.match(text) else None
