"""Lines of a report: failures in full, skips by their reason, the verdict last."""

from devicectl.conformance.report.lines import lines
from tests.unit.devicectl.conformance.made import a_report


def test_lines_show_what_failed_and_why() -> None:
    said = list(lines(a_report()))
    text = "\n".join(said)
    assert said[0] == "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"
    assert "failed  frm.two" in text and "expected SAFE" in text and "found    ARMED <&>" in text
    assert "answer: 12.5 ms, limit 100 ms, margin 87.5 ms" in text
    assert "skipped   1: needs a broker" in text
    assert "1 passed, 2 failed, 1 skipped, 1 known in 2.0 s" in text
    assert not [line for line in said if "None" in line], "what is not known is left out"
    assert said[-2:] == ["broken: HLP-FRM-8", "verdict: failed"]


def test_what_passed_is_shown_when_asked_for() -> None:
    assert not any(line.startswith("passed  frm.one") for line in lines(a_report()))
    assert any(line.startswith("passed  frm.one") for line in lines(a_report(), every=True))
