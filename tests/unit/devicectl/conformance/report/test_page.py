"""The page of a report: everything of it is text, and each rule leads to its cases."""

from devicectl.conformance.report.page import page
from tests.unit.devicectl.conformance.made import a_report


def test_the_page_has_rules_cases_and_notice_as_text() -> None:
    text = page(a_report())
    assert text.startswith("<!doctype html>")
    assert "TRAINING SIMULATOR - NOT A MEDICAL DEVICE" in text
    assert '<a href="#frm.two">' in text and 'id="frm.two"' in text
    assert "ARMED &lt;&amp;&gt;" in text and "<b>m</b>" not in text
    assert "<td>12.5</td><td>100</td><td>87.5</td>" in text
    assert text.index("<h2>What failed</h2>") < text.index("<h2>Rules</h2>"), "it is what a reader has come for"
    assert "<th>mended</th>" not in text, "of what there is none, nothing is said"
    assert "<script" not in text and "http" not in text
