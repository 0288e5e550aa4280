"""A report as one page of HTML, without scripts and without anything of another place."""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from protocols.capture.packet import JsonObject

_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .25em .6em; }
tr { border-top: 1px solid #ddd; } .failed, .mended { background: #fde4e1; } .skipped { color: #666; }
.known { background: #fff3d6; } .notice { background: #222; color: #fff; padding: .4em .8em; }
pre { overflow-x: auto; background: #f6f6f6; padding: .6em; font-size: 12px; } code { white-space: nowrap; }
.wide { overflow-x: auto; } .facts { width: auto; } .rules td:first-child { white-space: nowrap; }
"""


def page(data: JsonObject) -> str:
    """Return the page of a report."""
    return "".join(_parts(data))


def _parts(data: JsonObject) -> Iterator[str]:
    title = f"Conformance of a {data['end']}: {data['verdict']}"
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
    yield f'<p class="notice">{escape(data["notice"])}</p><h1>{escape(title)}</h1>\n<table class="facts">'
    counts = {name: number for name, number in data["counts"].items() if number}
    facts = {**data["judged"], **counts, "seconds": data["seconds"]}
    for name, value in facts.items():
        if value in ("", None):
            continue
        yield f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>\n"
    yield "</table>\n"
    yield from _failed(data["cases"])
    yield '<h2>Rules</h2><div class="wide"><table class="rules">'
    yield "<tr><th>rule</th><th>level</th><th>seen</th><th>it says</th><th>cases</th></tr>\n"
    for rule in data["rules"]:
        cases = " ".join(_link(name) for name in rule["cases"])
        cells = "".join(f"<td>{escape(rule[name])}</td>" for name in ("id", "level", "word", "text"))
        yield f'<tr class="{escape(rule["word"])}">{cells}<td>{cases}</td></tr>\n'
    yield "</table></div><h2>Cases</h2>\n"
    for case in data["cases"]:
        yield from _case(case)
    yield "</body></html>\n"


def _link(name: str) -> str:
    return f'<a href="#{escape(name)}"><code>{escape(name)}</code></a>'


def _failed(cases: Iterable[JsonObject]) -> Iterator[str]:
    """Write what failed before all else: it is what a reader has come for."""
    failed = [case for case in cases if case["word"] in ("failed", "mended")]
    if not failed:
        return
    yield "<h2>What failed</h2><ul>\n"
    for case in failed:
        rules = escape(f"{' '.join(case['rules'])}, {case['level']}")
        yield f'<li class="{escape(case["word"])}">{_link(case["id"])} {escape(case["title"])} ({rules})</li>\n'
    yield "</ul>\n"


def _case(case: JsonObject) -> Iterator[str]:
    head = f"{case['word']}: {case['id']}"
    yield f'<h3 id="{escape(case["id"])}" class="{escape(case["word"])}">{escape(head)}</h3>'
    yield f"<p>{escape(case['title'])} ({escape(', '.join(case['rules']))}, {case['level']}, {case['seconds']} s)</p>\n"
    if case["reason"]:
        yield f"<p>{escape(case['reason'])}</p>\n"
    if case["differences"]:
        yield "<table><tr><th>what</th><th>expected</th><th>found</th></tr>"
        for one in case["differences"]:
            cells = "".join(f"<td>{escape(one[name])}</td>" for name in ("what", "expected", "found"))
            yield f"<tr>{cells}</tr>"
        yield "</table>\n"
    if case["timings"]:
        yield "<table><tr><th>time</th><th>ms</th><th>limit</th><th>margin</th></tr>"
        for one in case["timings"]:
            numbers = "".join(f"<td>{one[name]:g}</td>" for name in ("value_ms", "limit_ms", "margin_ms"))
            yield f"<tr><td>{escape(one['what'])}</td>{numbers}</tr>"
        yield "</table>\n"
    if case["frames"]:
        yield f"<pre>{escape(chr(10).join(one['text'] for one in case['frames']))}</pre>\n"
