"""Outcomes of cases, made by hand: one of each word, with all that an outcome can have."""

from collections.abc import Iterator

from devicectl.conformance.case import Case, Need
from devicectl.conformance.outcome import Difference, Frame, Outcome, Timing, Word
from devicectl.conformance.report.summary import report_data
from devicectl.conformance.rules import Duty
from protocols.capture.packet import JsonObject


def _nothing() -> Iterator[None]:
    yield None


def a_case(name: str = "frm.one", *rules: str, needs: frozenset[Need] = frozenset()) -> Case:
    """Make a case that shows rules, `HLP-FRM-1` where none are given."""
    return Case(name, f"title of {name}", rules or ("HLP-FRM-1",), Duty.DEVICE, _nothing, needs)


def outcomes() -> list[Outcome]:
    """Make an outcome of each word; the failed ones are of a MUST and of a SHOULD."""
    seen = (Difference("state", "SAFE", "ARMED <&>"),)
    timings = (Timing("answer", 12.5, 100.0),)
    frames = (Frame(5, 0, "host>device HELLO"), Frame(9, 0, "device>host \x1b[2J"))
    return [
        Outcome(a_case("frm.one"), Word.PASSED, frames=frames),
        Outcome(a_case("frm.two", "HLP-FRM-8"), Word.FAILED, "state is ARMED <&>", seen, timings, frames, 1.5),
        Outcome(a_case("evt.three", "HLP-EVT-11"), Word.FAILED, "no record"),
        Outcome(a_case("cyc.four", "HLP-CYC-1"), Word.SKIPPED, "needs a broker"),
        Outcome(a_case("cyc.five", "HLP-CYC-2"), Word.KNOWN, "it moves (known: rev A)"),
    ]


def a_report() -> JsonObject:
    """Make the data of a report of `outcomes`."""
    judged = {"device": "tcp://", "model": "<b>m</b>"}
    return report_data(Duty.DEVICE, judged, outcomes(), seconds=2.0, versions={"devicectl": "1"})
