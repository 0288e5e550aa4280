"""The baseline: known failures pass, one that has been mended fails, and the file is checked."""

import json

import pytest

from devicectl.conformance.baseline import BaselineError, apply_baseline, read_baseline, write_baseline
from devicectl.conformance.outcome import Word
from tests.unit.devicectl.conformance.made import outcomes


def test_known_failures_are_known_and_a_mended_one_fails() -> None:
    known = {"frm.two": "rev A", "frm.one": "rev A", "cyc.four": "never tried"}
    judged = {outcome.case.id: outcome for outcome in apply_baseline(outcomes(), known)}
    assert judged["frm.two"].word is Word.KNOWN
    assert judged["frm.two"].reason == "state is ARMED <&> (known: rev A)"
    assert judged["frm.one"].word is Word.MENDED and judged["frm.one"].breaks
    assert judged["cyc.four"].word is Word.SKIPPED
    assert judged["evt.three"].word is Word.FAILED


def test_what_is_written_is_read_again() -> None:
    known = read_baseline(write_baseline(outcomes()), {"frm.two", "evt.three", "cyc.five"})
    assert set(known) == {"frm.two", "evt.three", "cyc.five"}
    assert known["evt.three"] == "no record"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"baseline": 2, "known": {}}', '{"baseline": 1, "known": {"a": 3}}', "[" * 100_000]
)
def test_what_is_no_baseline_is_said(text: str) -> None:
    with pytest.raises(BaselineError, match=r"^it is no baseline; right is \{"):
        read_baseline(text, {"a"})


def test_a_case_that_is_not_there_is_said() -> None:
    text = json.dumps({"baseline": 1, "known": {"frm.gone": "x"}})
    with pytest.raises(BaselineError, match=r"^there is no case 'frm\.gone'; take its line out"):
        read_baseline(text, {"frm.one"})
