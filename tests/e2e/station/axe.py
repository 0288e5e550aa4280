"""Deque's axe over a page, as it is shown: what it finds that people with a disability would meet."""

from functools import cache
from importlib.resources import files

from playwright.sync_api import Page


@cache
def _script() -> str:
    return (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """Return all violations of any severity, each with the elements that have it."""
    page.evaluate(_script())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]
    ]
