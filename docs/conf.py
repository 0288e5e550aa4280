"""Settings of Sphinx for the site that `make docs` builds; docs/README.md is its navigation.

Law: the site asks nobody for anything. Diagrams are drawn while it is built, and the fonts are the reader's.
"""

import re
from pathlib import Path
from typing import Any

import mermaidx

project = "devicectl"
html_title = "devicectl"
extensions = ["myst_parser"]
myst_heading_anchors = 6  # links to headings, as other renderers of Markdown make them
root_doc = "docs/README"
include_patterns = ["*.md", "benchmarks/*.md", "docs/**", "examples/**", "findings/*.md", "tests/README.md"]
exclude_patterns = [".*", "build", "docs/package.md"]  # the last one is for a package index
html_theme = "furo"
html_theme_options = {"announcement": "Training simulator - not a medical device"}
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False

DECISIONS = "\n\n```{toctree}\n:glob:\n:maxdepth: 1\n\n0*\n```\n"
START = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/README.html">\n'


def contents(page: str) -> str:
    """Return the navigation in the words of docs/README.md: a part for each heading, its links in their order."""
    parts = []
    for title, body in re.findall(r"^## (.+)\n((?:(?!## ).*\n)+)", page, re.MULTILINE):
        entries = "\n".join(f"{label} <{target}>" for label, target in re.findall(r"^- \[(.+?)\]\((.+?)\)", body, re.M))
        parts.append(f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n{entries}\n```\n")
    return "\n".join(parts)


def draw(found: re.Match[str]) -> str:
    """Return a Mermaid diagram as SVG, on white in the dark theme too."""
    svg = mermaidx.render(found[1], theme="neutral").svg().replace("my-svg", f"diagram-{found.start()}")
    # Letters of 12 pixels at least: where that is too wide, the figure is scrolled. The first width is the drawing's
    # own; those behind it are the labels', which a least width would cut.
    least = r"min-width: {:.0f}px; max-width: {}px"
    svg = re.sub(r"max-width: ([\d.]+)px", lambda own: least.format(float(own[1]) * 0.75, own[1]), svg, count=1)
    return f'```{{raw}} html\n<figure style="background: #fff; margin: 0; overflow-x: auto">{svg}</figure>\n```'


def prepare(app: Any, name: str, source: list[str]) -> None:
    """Give a page what Markdown does not say: navigation, the list of decisions, drawings."""
    source[0] = re.sub(r"^```mermaid\n(.*?)^```$", draw, source[0], flags=re.DOTALL | re.MULTILINE)
    if name == root_doc:
        source[0] += "\n\n" + contents(source[0])
    elif name == "docs/decisions/README":
        source[0] += DECISIONS


def start(app: Any, error: Exception | None) -> None:
    """Let the site be opened at its folder."""
    Path(app.outdir, "index.html").write_text(START, encoding="utf-8")


def setup(app: Any) -> None:
    """Connect the two to Sphinx."""
    app.connect("source-read", prepare)
    app.connect("build-finished", start)
