"""Data of a report: each rule with the word of its cases, and the verdict."""

from devicectl.conformance.outcome import Word
from devicectl.conformance.report.summary import report_data
from devicectl.conformance.rules import Duty, rules_of
from tests.unit.devicectl.conformance.made import a_report, outcomes


def test_each_rule_of_the_end_is_there_with_its_word() -> None:
    rules = {rule["id"]: rule for rule in a_report()["rules"]}
    assert list(rules) == [rule.id for rule in rules_of(Duty.DEVICE)]
    words = {name: rules[name]["word"] for name in ("HLP-FRM-1", "HLP-FRM-8", "HLP-CYC-1", "HLP-CYC-2", "HLP-CYC-3")}
    assert list(words.values()) == ["passed", "failed", "skipped", "known", "untried"]
    assert rules["HLP-FRM-8"]["cases"] == ["frm.two"]


def test_a_failure_outweighs_what_passed_and_a_skip_never_passes() -> None:
    passed, failed, *_ = outcomes()
    both = [passed, failed._replace(case=passed.case._replace(id="other"))]
    data = report_data(Duty.DEVICE, {}, both, seconds=1, versions={})
    assert data["rules"][0]["word"] == "failed"
    skipped = [passed._replace(word=Word.SKIPPED)]
    assert report_data(Duty.DEVICE, {}, skipped, seconds=1, versions={})["rules"][0]["word"] == "skipped"


def test_the_verdict_is_of_broken_musts() -> None:
    assert a_report()["verdict"] == "failed"
    fine = [outcome for outcome in outcomes() if not outcome.breaks]
    assert report_data(Duty.DEVICE, {}, fine, seconds=1, versions={})["verdict"] == "passed"


def test_frames_are_shown_of_what_did_not_pass_and_times_with_their_margin() -> None:
    passed, failed, *_ = a_report()["cases"]
    assert passed["frames"] == [] and len(failed["frames"]) == 2
    assert failed["timings"] == [{"what": "answer", "value_ms": 12.5, "limit_ms": 100.0, "margin_ms": 87.5}]
    assert failed["differences"] == [{"what": "state", "expected": "SAFE", "found": "ARMED <&>"}]
