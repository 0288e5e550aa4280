"""Lines of a report: failures in full, skips by their reason, the verdict last."""

from devicectl.conformance.report.lines import MAX_SENTENCE, failure_lines, lines
from protocols.capture.packet import JsonObject
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
    assert said[-3:] == ["not tried: HLP-CYC-1", "broken: HLP-FRM-8", "verdict: failed"]


def test_a_difference_is_said_once() -> None:
    (short,) = [case for case in a_report()["cases"] if case["id"] == "frm.two"]
    (seen,) = short["differences"]
    sentence = "state: expected SAFE, found ARMED <&>"

    def said(case: JsonObject) -> list[str]:
        return [line.strip() for line in failure_lines({**case, "timings": [], "frames": []})]

    assert said({**short, "reason": sentence}) == [sentence]
    assert said({**short, "reason": f"{sentence}; a text came"}) == [f"{sentence}; a text came"]
    assert said({**short, "reason": "why"}) == ["why", "state", "expected SAFE", "found    ARMED <&>"]
    long = {**seen, "found": "x" * MAX_SENTENCE}
    told = {**short, "differences": [long], "reason": f"state: expected SAFE, found {long['found']}"}
    assert said(told) == ["state", "expected SAFE", f"found    {long['found']}"]


def test_what_passed_is_shown_when_asked_for() -> None:
    assert not any(line.startswith("passed  frm.one") for line in lines(a_report()))
    assert any(line.startswith("passed  frm.one") for line in lines(a_report(), every=True))
