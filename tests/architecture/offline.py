"""Judges a built site: it loads nothing from another host, and what it loads is there.

    python -m tests.architecture.offline build/site

A link that a reader may follow, `<a href>`, may lead anywhere; whatever a browser fetches by itself may not.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

LOADED: Final = ("src", "srcset", "poster", "data", "xlink:href")
"""Attributes that a browser fetches, whatever the element."""

_CSS: Final = re.compile(r"(?:url\(\s*|@import\s+)[\"']?([^\"')\s;]+)")
_SCRIPT: Final = re.compile(r"[\"'`]((?:https?:)?//[\w.-]+\.[a-z]+[^\"'`\s]*)")
_NAMESPACE: Final = "http://www.w3.org/"
"""How a name of SVG or XLink begins in a script; nothing is fetched from there."""
_COMMENT: Final = re.compile(r"/\*.*?\*/|^\s*//.*?$", re.DOTALL | re.MULTILINE)


class _Page(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        given = {name: value or "" for name, value in attrs}
        self.loaded += [given[name].split()[0] for name in LOADED if given.get(name)]
        self.loaded += _CSS.findall(given.get("style", ""))
        if tag == "link" and given.get("rel") not in ("canonical", "next", "prev", "search", "index", "author"):
            self.loaded.append(given.get("href", ""))
        if tag in ("image", "use") and "href" in given:  # of SVG
            self.loaded.append(given["href"])
        if given.get("http-equiv", "").lower() == "refresh":
            self.loaded.append(given["content"].partition("=")[2])

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("style", "script"):
            self.loaded += _in_text(data, script=self._inside == "script")


def _in_text(text: str, *, script: bool) -> list[str]:
    """Return what a style sheet loads, or the addresses that a script holds."""
    found = (_SCRIPT if script else _CSS).findall(_COMMENT.sub("", text))
    return [url for url in found if not url.startswith(_NAMESPACE)]


def faults(site: Path) -> Iterator[str]:
    """Yield each file of the site that loads from another host, or loads what is not there."""
    for path in sorted(path for path in site.rglob("*") if path.suffix in (".html", ".svg", ".css", ".js")):
        text = path.read_text(encoding="utf-8")
        if path.suffix in (".html", ".svg"):
            page = _Page()
            page.feed(text)
            loaded = page.loaded
        else:
            loaded = _in_text(text, script=path.suffix == ".js")
        for url in dict.fromkeys(loaded):
            parts = urlsplit(url)
            name = path.relative_to(site)
            if parts.netloc or parts.scheme not in ("", "data"):
                yield f"{name} loads {url}"
            elif parts.path and not parts.scheme and not (path.parent / unquote(parts.path)).is_file():
                yield f"{name} loads {url}, which is not there"


def main() -> None:
    """Exit with the faults of the site in the first argument, if it has any or is no site."""
    site = Path(sys.argv[1])
    pages = len(list(site.rglob("*.html")))
    found = "\n".join(faults(site))
    sys.exit(found or (None if pages > 1 else f"{site} has no pages"))


if __name__ == "__main__":
    main()
