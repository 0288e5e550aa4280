"""Rules are numbered in docs/protocol.md and docs/mqtt.md, and in one table: each is in both, with one level."""

import re
from typing import Final

from devicectl.conformance.rules import RULES, Level
from tests.architecture.tree import ROOT

_MARK: Final = re.compile(r"\*\*(HLP-[A-Z]+-[0-9]+)\*\*")
PAGES: Final = {"protocol.md": "FRM PAY LNK LSE CMD CYC EVT", "mqtt.md": "MQT"}
"""Page -> the groups of its rules."""


def stated(text: str) -> list[tuple[str, str]]:
    """Each mark of a page with what it states: up to the next mark or the end of its paragraph."""
    parts = _MARK.split(text)
    return [(mark, rest.partition("\n\n")[0]) for mark, rest in zip(parts[1::2], parts[2::2], strict=True)]


def level_of(statement: str) -> Level:
    """The level that a statement's verb says."""
    words = set(re.findall(r"\w+", statement.lower()))
    return Level.MUST if "must" in words else Level.SHOULD if "should" in words else Level.INFO


def _stated() -> dict[str, list[tuple[str, str]]]:
    return {page: stated((ROOT / "docs" / page).read_text(encoding="utf-8")) for page in PAGES}


def test_each_rule_is_stated_once_on_its_page() -> None:
    for page, groups in PAGES.items():
        marks = [mark for mark, _ in _stated()[page]]
        ours = [rule.id for rule in RULES.values() if rule.group in groups.split()]
        assert sorted(marks) == sorted(ours), page


def test_the_level_is_the_pages() -> None:
    said = {mark: level_of(statement) for page in _stated().values() for mark, statement in page}
    assert said == {rule.id: rule.level for rule in RULES.values()}


def test_a_statement_that_says_nothing_is_no_must() -> None:
    assert stated("x **HLP-A-1** it must. **HLP-A-2** it should\n\nmust") == [
        ("HLP-A-1", " it must. "),
        ("HLP-A-2", " it should"),
    ]
    assert [level_of(text) for text in ("It MUST be so", "it should", "it mustn is")] == ["must", "should", "info"]
